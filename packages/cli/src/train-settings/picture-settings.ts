import { readFile } from 'node:fs/promises'
import {
  atLeast, between, checkOptions, finite, listOf, oneOf, positive, type Range, type Ranges, required, text, whole,
} from '@antipode/core/options'
import { UsageError } from '../usage-error.ts'
import { aText, decay } from './ranges.ts'

/** What is trained on captioned pictures alone: `base` learns in the latents of an `autoencoder`, from the words of a `clip`, if there is one. */
const pictureStages = ['autoencoder', 'clip', 'base'] as const
export type PictureStage = (typeof pictureStages)[number]

/** All that a run on captioned pictures depends on; it writes them beside its results. */
export interface PictureSettings {
  readonly stage: PictureStage
  /** A folder of captioned pictures, and a part of it, if it has several: a path, and a name. */
  readonly data: string
  readonly split?: string
  /** The field of the list of pictures whose values are drawn alike often; pictures are by default. */
  readonly balance?: string
  /** Side of the squares that pictures are brought to, in pixels. */
  readonly side: number
  /** Fields of the models' configurations that are not the usual ones, by the models' names. */
  readonly config: Readonly<Record<string, object>>
  readonly steps: number
  readonly batch: number
  /** The highest, after so many updates; it falls to 0 by a cosine. */
  readonly learningRate: number
  readonly warmup: number
  readonly seed: number
  /** Most that the average of the weights keeps of itself in an update; what is saved and sampled then is that average. No average at 0. */
  readonly ema: number
  readonly checkpointEvery: number
  /** Updates between grids of samples; none at 0. */
  readonly sampleEvery: number
  /** Of `autoencoder`: weights of its loss. */
  readonly kl: number
  readonly edges: number
  /** Of `clip`: pixels by which pictures are moved at random, at most. */
  readonly shift: number
  /** Of `base`: the checkpoint with the autoencoder, and that of a CLIP whose tokenizer and text tower it begins with. */
  readonly autoencoder?: string
  readonly clip?: string
  /** Of `base`: a Stable Diffusion that it goes on from, in place of those. */
  readonly from?: string
  /** Of `clip` and `base`: tokens that captions are written in, at most. */
  readonly vocabulary: number
  /** Of `base`: share of pictures that are learnt without their caption. */
  readonly captionDropout: number
  /** Of `base`: how the grids are sampled, which show the first captions where there are no prompts. */
  readonly samplePrompts: readonly string[]
  readonly sampleSteps: number
  readonly scale: number
}

type Numbers = 'steps' | 'batch' | 'learningRate' | 'warmup' | 'ema'

const ownNumbers: Readonly<Record<PictureStage, Readonly<Record<Numbers, number>>>> = {
  autoencoder: { steps: 5000, batch: 16, learningRate: 1e-3, warmup: 100, ema: 0.999 },
  clip: { steps: 3000, batch: 64, learningRate: 5e-4, warmup: 150, ema: 0.999 },
  base: { steps: 10_000, batch: 32, learningRate: 1e-3, warmup: 200, ema: 0.999 },
}

const otherwise = {
  side: 64, config: {}, seed: 0, checkpointEvery: 250, sampleEvery: 500, kl: 1e-4, edges: 1, shift: 2, vocabulary: 2048,
  captionDropout: 0.1, samplePrompts: [], sampleSteps: 20, scale: 3,
} as const satisfies Omit<PictureSettings, 'stage' | 'data' | 'split' | 'balance' | 'autoencoder' | 'clip' | 'from' | Numbers>

/** What a setting is by default; nothing for those that need none. */
export function pictureDefault(stage: PictureStage, setting: keyof PictureSettings): unknown {
  return { ...otherwise, ...ownNumbers[stage] }[setting as keyof typeof otherwise]
}

/** What each setting may be. */
export const pictureRanges: Readonly<Record<keyof PictureSettings, Range>> = {
  stage: oneOf(...pictureStages), data: text, split: text, balance: text, side: whole(8, 4096),
  config: { expected: 'an object of configurations', accepts: (v) => typeof v === 'object' && v !== null },
  steps: whole(1, 10_000_000), batch: whole(1, 1024), learningRate: positive, warmup: whole(0, 10_000_000),
  seed: whole(0, 999_000), ema: decay, checkpointEvery: whole(1, 1_000_000), sampleEvery: whole(0, 1_000_000),
  kl: atLeast(0), edges: atLeast(0), shift: whole(0, 4096), autoencoder: text, clip: text, from: text, vocabulary: whole(514, 1_000_000), captionDropout: between(0, 1),
  samplePrompts: listOf(aText), sampleSteps: whole(1, 1000), scale: finite,
}

/** Settings that not all stages have. */
const ownSettings: Readonly<Partial<Record<keyof PictureSettings, readonly PictureStage[]>>> = {
  kl: ['autoencoder'], edges: ['autoencoder'], shift: ['clip'], autoencoder: ['base'], clip: ['base'], from: ['base'],
  vocabulary: ['clip', 'base'], captionDropout: ['base'], samplePrompts: ['base'], sampleSteps: ['base'], scale: ['base'],
  sampleEvery: ['autoencoder', 'base'],
}

/** Whether a stage has a setting. */
export function stageHas(stage: PictureStage, setting: keyof PictureSettings): boolean {
  return ownSettings[setting]?.includes(stage) ?? true
}

/**
 * All settings of a run, from those that are given.
 * @param configFile of JSON: fields of configurations by the models' names, such as `{"unet": {"layers_per_block": 2}}`
 * @throws {UsageError} if one is outside its range, not the stage's, or missing, or the file is none
 */
export async function resolvePictures(
  given: Partial<PictureSettings> & Pick<PictureSettings, 'stage'>, configFile?: string,
): Promise<PictureSettings> {
  const { stage } = given
  const where = `train ${stage}`
  const config = configFile === undefined ? {} : { config: await configIn(where, configFile) }
  const settings = { ...otherwise, ...ownNumbers[stage], ...config, ...given }
  try {
    const needed = {
      data: required(text), ...(stage === 'base' && settings.from === undefined ? { autoencoder: required(text) } : {}),
    }
    checkOptions<object>(where, settings, { ...pictureRanges, ...needed } as Ranges<object>)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  const odd = (Object.keys(given) as (keyof PictureSettings)[]).find((name) => !stageHas(stage, name))
  if (odd !== undefined) throw new UsageError(`${where}: expected ${odd} left out, got it`)
  const instead = settings.from === undefined ? undefined : (
    (['autoencoder', 'clip', 'vocabulary'] as const).find((name) => Object.hasOwn(given, name)) ??
    (configFile === undefined ? undefined : 'config')
  )
  if (instead !== undefined) throw new UsageError(`${where}: expected ${instead} left out with from, whose models say it, got both`)
  if (settings.clip !== undefined && given.vocabulary !== undefined) {
    throw new UsageError(`${where}: expected vocabulary left out with clip, whose tokenizer has one, got both`)
  }
  if (settings.warmup >= settings.steps) {
    throw new UsageError(`${where}: expected more steps than the warm-up has, got ${settings.steps} and ${settings.warmup}`)
  }
  return settings as PictureSettings // what is required was found
}

async function configIn(where: string, file: string): Promise<Readonly<Record<string, object>>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    const isObject = (v: unknown): v is object => typeof v === 'object' && v !== null && !Array.isArray(v)
    if (isObject(value) && Object.values(value).every(isObject)) return value as Readonly<Record<string, object>>
  } catch (cause) {
    throw new UsageError(`${where}: expected --config to be a file of JSON, got ${file}: ${(cause as Error).message}`, { cause })
  }
  throw new UsageError(
    `${where}: expected --config to hold fields by the names of models, such as {"unet": {"layers_per_block": 2}}, got ` +
      `something else in ${file}`,
  )
}
