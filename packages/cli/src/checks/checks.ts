import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkFile, openFile, openFolder } from '@antipode/core/io'
import type { BaseCard } from '../train/index.ts'
import { digitsModel, type OnlineSettings, type PictureSettings, type PreferenceSettings } from '../train-settings/index.ts'
import { UsageError } from '../usage-error.ts'
import { readBaseFile } from './base-file.ts'

/** Models whose base comes with the models package. */
export const shippedModels: readonly BaseCard['model'][] = ['digits-16']

// All that can be known before a command loads its modules, which takes seconds, and the device and the data, which take more.

/** What a refusal of a file or folder is here: the option that names it is wrong, and nothing was started. */
async function asUsage(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const refused = error instanceof Error && 'code' in error && error.code === 'CONFIG'
    throw refused ? new UsageError(error.message, { cause: error }) : error
  }
}

/** What `demo` reads and writes. */
export interface DemoFiles {
  readonly model: BaseCard['model']
  readonly base?: string
  readonly out: string
}

/** @throws {UsageError} unless there is a base to start from, and room for the report */
export async function checkDemo({ model, base, out }: DemoFiles): Promise<void> {
  if (base !== undefined) await readBaseFile(model, base)
  else if (!shippedModels.includes(model)) {
    throw new UsageError(
      `demo: expected --base FILE with --model ${model}, of which no base comes with Antipode, got none; make one with \`antipode train base --model ${model} --out FILE\``,
    )
  }
  const name = { command: 'demo', option: '--out' } as const
  await asUsage(async () => {
    for (const folder of [out, join(out, 'work'), join(out, 'adapters')]) await openFolder(name, folder)
    for (const file of ['report.html', 'report.json']) await checkFile(name, join(out, file))
  })
}

/** @throws {UsageError} unless there is room for the map */
export async function checkSuite({ out }: { readonly out: string }): Promise<void> {
  const name = { command: 'demo --suite', option: '--out' } as const
  await asUsage(async () => {
    for (const folder of [out, join(out, 'work')]) await openFolder(name, folder)
    for (const file of ['map.html', 'map.json']) await checkFile(name, join(out, file))
  })
}

/** @throws {UsageError} unless there is room for the checkpoint and what goes beside it */
export async function checkTrainBase({ out }: { readonly out: string }): Promise<void> {
  const name = { command: 'train base', option: '--out' } as const
  await asUsage(async () => {
    await openFolder(name, dirname(out))
    for (const file of [out, `${out}.json`, `${out}.run`, `${out}.run.curve`]) await checkFile(name, file)
  })
}

/** What `train dpo` and `train npo` read and write. */
export interface PreferenceFiles {
  readonly settings: Pick<PreferenceSettings, 'negated' | 'model' | 'pairs'>
  readonly out: string
  readonly cache: string
}

/** @throws {UsageError} unless there are a model and pairs, and room for results and what is kept */
export async function checkTrainPreference({ settings: { negated, model, pairs }, out, cache }: PreferenceFiles): Promise<void> {
  const command = `train ${negated ? 'npo' : 'dpo'}`
  await checkThere(command, [['--model', model], ['--pairs', pairs]])
  await asUsage(async () => {
    await openFolder({ command, option: '--out' }, out)
    await openFolder({ command, option: '--cache' }, cache)
  })
}

/** What `train` with a method that learns from its own samples reads and writes. */
export interface OnlineFiles {
  readonly settings: Pick<OnlineSettings, 'method' | 'model' | 'reward'>
  readonly out: string
}

/** @throws {UsageError} unless there are a model and the files of a reward, and room for results */
export async function checkTrainOnline({ settings: { method, model, reward }, out }: OnlineFiles): Promise<void> {
  const command = `train ${method}`
  await checkThere(command, [
    ...(model === digitsModel ? [] : [['--model', model] as const]), ['--reward-files', reward?.files],
    ['--reward-tokenizer', reward?.tokenizer], ['--reward-clip', reward?.clip],
  ])
  await asUsage(() => openFolder({ command, option: '--out' }, out))
}

/** What `train` on captioned pictures reads and writes. */
export interface PicturesFiles {
  readonly settings: Pick<PictureSettings, 'stage' | 'data' | 'autoencoder' | 'clip' | 'from'>
  readonly out: string
}

/** @throws {UsageError} unless there are pictures and what they are learnt with, and room for results */
export async function checkTrainPictures({ settings: { stage, data, autoencoder, clip, from }, out }: PicturesFiles): Promise<void> {
  const command = `train ${stage}`
  await checkThere(command, [['--data', data], ['--autoencoder', autoencoder], ['--clip', clip], ['--from', from]])
  await asUsage(() => openFolder({ command, option: '--out' }, out))
}

/** What `generate` reads and writes. */
export interface GenerateFiles {
  readonly model: string
  readonly tokenizer?: string
  readonly adapters: readonly { readonly file: string }[]
  readonly negativeAdapters: readonly { readonly file: string }[]
  readonly textualInversions: readonly { readonly file: string }[]
  readonly previewDecoder?: string
  readonly ipAdapter?: string
  readonly imageEncoder?: string
  readonly imagePrompt?: { readonly file: string }
  readonly image?: string
  readonly mask?: string
  readonly out: string
}

/** @throws {UsageError} unless what is read is there, and there is room for the images */
export async function checkGenerate(files: GenerateFiles): Promise<void> {
  const { model, tokenizer, previewDecoder, adapters, negativeAdapters, textualInversions, image, mask, out } = files
  const { ipAdapter, imageEncoder, imagePrompt } = files
  await checkThere('generate', [
    ...(isAddress(model) ? [] : [['--model', model] as const]), ['--tokenizer', tokenizer],
    ...adapters.map(({ file }) => ['--adapter', file] as const),
    ...negativeAdapters.map(({ file }) => ['--negative-adapter', file] as const), ['--image', image], ['--mask', mask],
    ['--ip-adapter', ipAdapter], ['--image-encoder', imageEncoder], ['--image-prompt', imagePrompt?.file],
    ['--preview-decoder', previewDecoder], ...textualInversions.map(({ file }) => ['--textual-inversion', file] as const),
  ])
  await asUsage(() => openFolder({ command: 'generate', option: '--out' }, out))
}

/** Whether a model is somewhere in the network, where opening it tells whether it is there. */
const isAddress = (model: string): boolean => /^(hf|https?):/i.test(model)

/** @throws {UsageError} unless there is something to look at */
export async function checkInspect({ path }: { readonly path: string }): Promise<void> {
  await checkThere('inspect', [['PATH', path]])
}

/** What `reconstruct` reads and writes. */
export interface ReconstructFiles {
  readonly image: string
  readonly model: string
  readonly out: string
}

/** @throws {UsageError} unless there are an image and a model, and room for what comes back */
export async function checkReconstruct({ image, model, out }: ReconstructFiles): Promise<void> {
  await checkThere('reconstruct', [['IMAGE', image], ['--model', model]])
  await asUsage(() => openFile({ command: 'reconstruct', option: '--out' }, out))
}

/** What `convert` reads and writes. */
export interface ConvertFiles {
  readonly source: string
  readonly target: string
  readonly model?: string
  readonly tokenizer?: string
  readonly force: boolean
}

/** @throws {UsageError} unless what is read is there, and nothing that is to stay is at the target */
export async function checkConvert({ source, target, model, tokenizer, force }: ConvertFiles): Promise<void> {
  await checkThere('convert', [['SOURCE', source], ['--model', model], ['--tokenizer', tokenizer]])
  if (resolve(source) === resolve(target)) {
    throw new UsageError(`convert: expected TARGET to be another place than SOURCE, got ${target} for both`)
  }
  const there = await stat(target).catch(() => undefined)
  const empty = there?.isDirectory() && (await readdir(target)).length === 0
  if (there && !empty && !force) {
    const got = there.isDirectory() ? 'folder that is not empty' : 'file'
    throw new UsageError(`convert: expected nothing at ${target}, got a ${got}; pass --force to replace it`)
  }
  const name = { command: 'convert', option: 'TARGET' } as const
  await asUsage(() => (/\.safetensors$/i.test(target) ? openFile(name, target) : openFolder(name, target)))
}

/** Whether a file is named by where it is to be fetched from. */
const isElsewhere = (path: string): boolean => /^\w{2,}:/.test(path)

/** @throws {UsageError} that names the option whose file or folder is missing; what is not given is not missed */
async function checkThere(
  command: string,
  files: readonly (readonly [option: string, path: string | undefined])[],
): Promise<void> {
  for (const [option, path] of files) {
    if (path === undefined || isElsewhere(path) || await stat(path).catch(() => undefined)) continue
    throw new UsageError(`${command}: expected ${option} to be a file or a folder, got nothing at ${path}`)
  }
}

/** @throws {UsageError} unless the trace can be written */
export async function checkBench({ trace }: { readonly trace?: string }): Promise<void> {
  if (trace !== undefined) await asUsage(() => openFile({ command: 'bench', option: '--trace' }, trace))
}

/** @throws {UsageError} unless there are settings, folders of shares, and room for results */
export async function checkEval(
  name: 'run' | 'work' | 'merge', { study, out, from = [] }: { readonly study: string; readonly out?: string; readonly from?: readonly string[] },
): Promise<void> {
  const command = `eval ${name}`
  await checkThere(command, [['STUDY', study], ...from.map((folder) => ['FROM', folder] as const)])
  if (out !== undefined) await asUsage(() => openFolder({ command, option: '--out' }, out))
}
