import { mkdir } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { CheckpointError, ConfigError, Device } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import { AutoencoderTiny, loadAutoencoder } from '@antipode/models'
import {
  contactSheet,
  encodePng,
  type GeneratedImage,
  type ImagePrompt,
  loadPipeline,
  type MemoryChoices,
  type MemoryPlan,
  type Pipeline,
  type PipelineStep,
  type PipelineType,
  type StableDiffusionXLOptions,
} from '@antipode/pipelines'
import { fromConfig, type Scheduler, toConfig } from '@antipode/schedulers'
import type { GuiderChoice } from '../guider-choice.ts'
import { readPicture, writePicture } from '../pictures.ts'
import { compilingProgress, type PhaseHandle, type Progress } from '../progress/index.ts'
import { guidanceOf } from './guidance.ts'

/** An adapter file and how strong it is. */
export interface AdapterChoice {
  readonly file: string
  readonly weight: number
}

/** A word that was learned: its file, and what it is called unless that says it. */
export interface WordChoice {
  readonly file: string
  readonly token?: string
}

/** Options of {@link runGenerate}. */
export interface GenerateCommandOptions {
  readonly model: string
  readonly variant?: string
  /** Of a checkpoint in one file: its tokenizers, and what its UNet predicts. */
  readonly tokenizer?: string
  readonly predictionType?: 'epsilon' | 'v_prediction'
  readonly dtype?: PipelineType
  /** Bytes of the GPU. */
  readonly budget?: number
  readonly prompts: readonly string[]
  readonly negativePrompt?: string
  readonly promptSyntax?: 'plain' | 'weighted'
  /** Of both branches. */
  readonly adapters: readonly AdapterChoice[]
  /** Of the negative branch alone. */
  readonly negativeAdapters: readonly AdapterChoice[]
  readonly textualInversions: readonly WordChoice[]
  readonly count: number
  readonly seed: number
  readonly steps: number
  readonly guidance?: number
  readonly rescale?: number
  readonly guider?: GuiderChoice
  readonly scheduler?: string
  readonly width?: number
  readonly height?: number
  readonly clipSkip?: number
  readonly image?: string
  readonly mask?: string
  readonly maskPadding?: number
  readonly strength?: number
  /** An IP-Adapter, the folder of its vision tower, and the image that it looks at: all of them, or none. */
  readonly ipAdapter?: string
  readonly imageEncoder?: string
  readonly imagePrompt?: AdapterChoice
  /** Whether to show each step's estimate in a file, and by which tiny autoencoder. */
  readonly preview?: boolean
  readonly previewDecoder?: string
  readonly out: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** What was drawn, and where it is. */
export interface GenerateResult {
  readonly images: readonly { readonly file: string; readonly prompt: string; readonly seed: number }[]
  /** All of them on one sheet, where they are several. */
  readonly sheet?: string
  /** What a picture takes of the GPU, and how it is kept within the budget, where there is one. */
  readonly memory?: Pick<MemoryPlan, 'peak' | 'choices'>
  readonly seconds: number
}

/** Draws images from prompts, one after the other, each with a seed of its own, and writes them as PNG files. */
export async function runGenerate(options: GenerateCommandOptions): Promise<GenerateResult> {
  const { model, variant, tokenizer, predictionType, dtype, budget, prompts, count, seed, steps, out, signal } = options
  const started = performance.now()
  const progress = compilingProgress(options.progress)
  await mkdir(out, { recursive: true })
  const [image, mask] = [options.image && await readPicture(options.image), options.mask && await readPicture(options.mask)]
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const loading = progress.phase(`loading ${model}`, 1)
  using pipe = await loadPipeline(device, model, {
    signal,
    ...(variant === undefined ? {} : { variant }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(predictionType === undefined ? {} : { predictionType }),
    ...(dtype === undefined ? {} : { dtype }),
    ...(budget === undefined ? {} : { budget }),
  })
  using tiny = options.previewDecoder === undefined ? undefined : await previewDecoder(device, options.previewDecoder, signal)
  const load = async (choices: readonly AdapterChoice[], kind: string): Promise<AdapterWeights> => {
    const weights: Record<string, number> = {}
    for (const [i, { file, weight }] of choices.entries()) {
      await pipe.adapters.load(`${kind}${i}`, file, { signal })
      weights[`${kind}${i}`] = weight
    }
    return weights
  }
  const positive = await load(options.adapters, 'adapter')
  const negative = { ...positive, ...(await load(options.negativeAdapters, 'negative')) }
  for (const { file, token } of options.textualInversions) await learn(pipe, file, token)
  const shown = await imagePrompt(pipe, options)
  loading.done(options.textualInversions.length > 0 ? `words ${pipe.textualInversions.names.join(', ')}` : undefined)

  const shared: Omit<StableDiffusionXLOptions, 'prompt'> = {
    steps,
    positive,
    negative,
    signal,
    ...given(options),
    ...(options.guider === undefined ? {} : guidanceOf(options.guider)),
    ...(image ? { image } : {}),
    ...(mask ? { mask } : {}),
    ...(shown ? { ipAdapter: shown } : {}),
    ...(tiny || options.preview ? { preview: tiny ?? true } : {}),
    ...(options.scheduler === undefined ? {} : { scheduler: swapped(pipe.components.scheduler, options.scheduler) }),
  }
  let memory: GenerateResult['memory']
  const onPlan = ({ peak, choices }: MemoryPlan): void => {
    if (!memory) progress.phase(`within ${gibibytes(budget ?? 0)} of memory`, 1).done(memoryText(peak, choices))
    memory = { peak, choices }
  }
  const drawn: GeneratedImage[] = []
  const files: GenerateResult['images'][number][] = []
  const drawing = progress.phase('drawing', prompts.length * count * steps)
  for (const [p, prompt] of prompts.entries()) {
    for (let k = 0; k < count; k++) {
      const {
        images: [made],
      } = await pipe({ ...shared, ...(budget === undefined ? {} : { onPlan }), prompt, seed: seed + k, onStep: stepping(drawing, steps, join(out, 'preview.png')) })
      const file = join(out, `${String(p * count + k + 1).padStart(4, '0')}-seed${seed + k}.png`)
      await writePicture('generate', file, (made as GeneratedImage).png()) // a run of one prompt gives one image
      drawn.push(made as GeneratedImage)
      files.push({ file, prompt, seed: seed + k })
      drawing.advance(0, file)
    }
  }
  drawing.done()
  const sheet = join(out, 'sheet.png')
  if (drawn.length > 1)
    await writePicture(
      'generate',
      sheet,
      encodePng(contactSheet(drawn, { columns: count > 1 ? count : Math.ceil(Math.sqrt(drawn.length)) })),
    )
  return {
    images: files,
    ...(drawn.length > 1 ? { sheet } : {}),
    ...(memory ? { memory } : {}),
    seconds: Math.round((performance.now() - started) / 1000),
  }
}

function memoryText(peak: number, { dtype, branches, leaving, tiling }: MemoryChoices): string {
  return [
    `${gibibytes(peak)} at once`,
    `weights in ${dtype}`,
    ...(branches === 'apart' ? ['branches one after the other'] : []),
    ...(leaving.length > 0 ? [`${leaving.join(', ')} only while needed`] : []),
    ...(typeof tiling === 'object' && tiling.size !== undefined ? [`tiles of ${tiling.size} pixels`] : []),
  ].join(', ')
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`

/** What a user asked for, under the names of the pipeline. */
function given({
  negativePrompt,
  guidance,
  rescale,
  width,
  height,
  clipSkip,
  promptSyntax,
  maskPadding,
  strength,
}: GenerateCommandOptions): Partial<StableDiffusionXLOptions> {
  const guided = { guidanceScale: guidance, guidanceRescale: rescale }
  const all = { ...guided, negativePrompt, promptSyntax, width, height, clipSkip, maskPadding, strength }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Another solver on the noise that the checkpoint was trained with. */
function swapped(scheduler: Scheduler, solver: string): Scheduler {
  return fromConfig(toConfig(scheduler), { solver })
}

/** The image that is a prompt, once the adapter that looks at it is there. */
async function imagePrompt(
  { ipAdapter }: Pipeline<StableDiffusionXLOptions>, { ipAdapter: file, imageEncoder, imagePrompt: image }: GenerateCommandOptions,
): Promise<ImagePrompt | undefined> {
  if (file === undefined || imageEncoder === undefined || !image) return undefined
  await ipAdapter.load(file, imageEncoder)
  return { image: await readPicture(image.file), scale: image.weight }
}

/** A word under the name that is asked for, or else that of the file's author, or else that of the file. */
async function learn(pipe: Pipeline<StableDiffusionXLOptions>, file: string, token: string | undefined): Promise<void> {
  try {
    await pipe.textualInversions.load(token, file)
  } catch (error) {
    if (token !== undefined || !(error instanceof ConfigError)) throw error
    await pipe.textualInversions.load(parse(file).name, file)
  }
}

/** Counts the steps of an image, so many whatever its solver calls one, and shows what they come to in a file. */
function stepping(drawing: PhaseHandle, count: number, file: string): (step: PipelineStep) => Promise<void> {
  let told = 0
  return async ({ index, steps, picture }) => {
    const now = Math.round((count * (index + 1)) / steps)
    drawing.advance(now - told)
    told = now
    const [shown] = (await picture?.()) ?? []
    if (shown) await writePicture('generate', file, encodePng(shown))
  }
}

/** @throws {CheckpointError} if the autoencoder is none of the tiny ones */
async function previewDecoder(device: Device, path: string, signal: AbortSignal): Promise<AutoencoderTiny> {
  const model = await loadAutoencoder(device, path, { decoderOnly: true, signal })
  if (model instanceof AutoencoderTiny) return model
  model.dispose()
  throw new CheckpointError(
    `generate: expected --preview-decoder to be a tiny autoencoder, such as TAESD, got ${model.className}; it would take as ` +
      'long as the picture itself',
  )
}
