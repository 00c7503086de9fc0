import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import { writeAtomically } from '@antipode/core/io'
import {
  contactSheet,
  decodeImage,
  encodePng,
  type GeneratedImage,
  loadPipeline,
  type Pixels,
  type StableDiffusionXLOptions,
} from '@antipode/pipelines'
import { fromConfig, type Scheduler, toConfig } from '@antipode/schedulers'
import { compilingProgress, type Progress } from '../progress/index.ts'

/** An adapter file and how strong it is. */
export interface AdapterChoice {
  readonly file: string
  readonly weight: number
}

/** Options of {@link runGenerate}. */
export interface GenerateCommandOptions {
  readonly model: string
  readonly variant?: string
  /** Of a checkpoint in one file: its tokenizers, and what its UNet predicts. */
  readonly tokenizer?: string
  readonly predictionType?: 'epsilon' | 'v_prediction'
  readonly dtype?: 'f32' | 'f16' | 'bf16'
  readonly prompts: readonly string[]
  readonly negativePrompt?: string
  readonly promptSyntax?: 'plain' | 'weighted'
  /** Of both branches. */
  readonly adapters: readonly AdapterChoice[]
  /** Of the negative branch alone. */
  readonly negativeAdapters: readonly AdapterChoice[]
  readonly count: number
  readonly seed: number
  readonly steps: number
  readonly guidance?: number
  readonly rescale?: number
  readonly scheduler?: string
  readonly width?: number
  readonly height?: number
  readonly clipSkip?: number
  readonly image?: string
  readonly mask?: string
  readonly strength?: number
  readonly out: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** What was drawn, and where it is. */
export interface GenerateResult {
  readonly images: readonly { readonly file: string; readonly prompt: string; readonly seed: number }[]
  /** All of them on one sheet, where they are several. */
  readonly sheet?: string
  readonly seconds: number
}

/** Draws images from prompts, one after the other, each with a seed of its own, and writes them as PNG files. */
export async function runGenerate(options: GenerateCommandOptions): Promise<GenerateResult> {
  const { model, variant, tokenizer, predictionType, dtype, prompts, count, seed, steps, out, signal } = options
  const started = performance.now()
  const progress = compilingProgress(options.progress)
  await mkdir(out, { recursive: true })
  const [image, mask] = [await pixelsOf(options.image), await pixelsOf(options.mask)]
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const loading = progress.phase(`loading ${model}`, 1)
  using pipe = await loadPipeline(device, model, {
    signal,
    ...(variant === undefined ? {} : { variant }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(predictionType === undefined ? {} : { predictionType }),
    ...(dtype === undefined ? {} : { dtype }),
  })
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
  loading.done()

  const shared: Omit<StableDiffusionXLOptions, 'prompt'> = {
    steps,
    positive,
    negative,
    signal,
    ...given(options),
    ...(image ? { image } : {}),
    ...(mask ? { mask } : {}),
    ...(options.scheduler === undefined ? {} : { scheduler: swapped(pipe.components.scheduler, options.scheduler) }),
  }
  const drawn: GeneratedImage[] = []
  const files: GenerateResult['images'][number][] = []
  const drawing = progress.phase('drawing', prompts.length * count)
  for (const [p, prompt] of prompts.entries()) {
    for (let k = 0; k < count; k++) {
      const {
        images: [made],
      } = await pipe({ ...shared, prompt, seed: seed + k })
      const file = join(out, `${String(p * count + k + 1).padStart(4, '0')}-seed${seed + k}.png`)
      await write(file, (made as GeneratedImage).png()) // a run of one prompt gives one image
      drawn.push(made as GeneratedImage)
      files.push({ file, prompt, seed: seed + k })
      drawing.advance(1, file)
    }
  }
  drawing.done()
  const sheet = join(out, 'sheet.png')
  if (drawn.length > 1)
    await write(
      sheet,
      encodePng(contactSheet(drawn, { columns: count > 1 ? count : Math.ceil(Math.sqrt(drawn.length)) })),
    )
  return {
    images: files,
    ...(drawn.length > 1 ? { sheet } : {}),
    seconds: Math.round((performance.now() - started) / 1000),
  }
}

/** What a user asked for, under the names of the pipeline. */
function given({
  negativePrompt,
  guidance,
  rescale,
  width,
  height,
  clipSkip,
  promptSyntax,
  strength,
}: GenerateCommandOptions): Partial<StableDiffusionXLOptions> {
  const guided = { guidanceScale: guidance, guidanceRescale: rescale }
  const all = { ...guided, negativePrompt, promptSyntax, width, height, clipSkip, strength }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Another solver on the noise that the checkpoint was trained with. */
function swapped(scheduler: Scheduler, solver: string): Scheduler {
  return fromConfig(toConfig(scheduler), { solver })
}

async function pixelsOf(file: string | undefined): Promise<Pixels | undefined> {
  return file === undefined ? undefined : await decodeImage(new Uint8Array(await readFile(file)))
}

async function write(file: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await writeAtomically(
    'generate',
    file,
    (async function* () {
      yield bytes
    })(),
  )
}
