import {
  checkOptions, finite, flag, listOf, oneOf, positive, type Range, type Ranges, text, whole,
} from '@antipode/core/options'
import { checkReward, type RewardChoice } from '../reward-choice.ts'
import { UsageError } from '../usage-error.ts'
import { aText, decay } from './ranges.ts'

/** Methods that learn from what a model samples itself. */
export const onlineMethods = ['ddpo', 'spo', 'draft', 'draft-lv', 'alignprop', 'refl', 'self-npo'] as const
export type OnlineMethod = (typeof onlineMethods)[number]

/** The digits model that comes with @antipode/digits, as a checkpoint is named. */
export const digitsModel = 'digits-16'

/** All that a run of a method depends on; it writes them beside its results. */
export interface OnlineSettings {
  readonly method: OnlineMethod
  /** A path of a checkpoint of Stable Diffusion, or `digits-16`. */
  readonly model: string
  /** Whether the reward changes its sign. */
  readonly negated: boolean
  /** Of pictures; digits have one of their own, and `self-npo` needs none. */
  readonly reward?: RewardChoice
  /** Digits have classes in place of prompts. */
  readonly prompts: readonly string[]
  readonly steps: number
  /** Samples of a batch. */
  readonly batch: number
  readonly rank: number
  readonly learningRate: number
  readonly warmup: number
  /** Calls of the sampler in a run, and its guidance; at 1 there is none. */
  readonly runSteps: number
  readonly scale: number
  /** Pixels of a square's side; the model's own where none is given. */
  readonly resolution?: number
  readonly seed: number
  readonly dtype: 'f32' | 'f16'
  readonly format: 'diffusers' | 'peft' | 'kohya'
  readonly ema: number
  readonly checkpointEvery: number
  readonly sampleEvery: number
  /** Of `draft`: the last calls that are differentiated. */
  readonly graded: number
  /** Of `draft-lv`: how often a sample is noised again. */
  readonly draws: number
  /** Of `ddpo`: samples of a prompt, which are compared. */
  readonly perPrompt: number
  /** Of `ddpo` and `spo`: how often a round is learnt from. */
  readonly passes: number
  /** Of `spo`. */
  readonly beta: number
  /** Of `self-npo`: by how much the teacher moves away from its unconditional estimate, and what its average keeps of itself. */
  readonly omega: number
  readonly teacherDecay: number
  /** Of methods by the gradient of a reward: updates below its beginning that end the run; none at 0. */
  readonly stopReward: number
}

type Numbers = 'learningRate' | 'runSteps' | 'scale'

/**
 * What methods are run with where they come from: kvablack/ddpo-pytorch, RockeyCoss/SPO (SD 1.5), DRaFT (arXiv
 * 2309.17400, appendix A), mihirp1998/AlignProp and THUDM/ImageReward.
 */
const ownNumbers: Readonly<Record<OnlineMethod, Readonly<Record<Numbers, number>>>> = {
  ddpo: { learningRate: 3e-4, runSteps: 50, scale: 5 }, spo: { learningRate: 6e-5, runSteps: 20, scale: 5 },
  draft: { learningRate: 4e-4, runSteps: 50, scale: 7.5 }, 'draft-lv': { learningRate: 4e-4, runSteps: 50, scale: 7.5 },
  alignprop: { learningRate: 1e-3, runSteps: 50, scale: 7.5 }, refl: { learningRate: 1e-5, runSteps: 40, scale: 1 },
  'self-npo': { learningRate: 1e-5, runSteps: 20, scale: 1 },
}

/** Ten calls without guidance, at a rate for a model of 400,000 parameters. */
const digitsNumbers: Readonly<Record<Numbers, number>> = { learningRate: 1e-3, runSteps: 10, scale: 1 }

/** Settings that are not given, and neither the method's nor the model's. */
const otherwise = {
  negated: false, prompts: [], steps: 200, batch: 4, rank: 8, warmup: 0, seed: 0, dtype: 'f16', format: 'diffusers', ema: 0,
  checkpointEvery: 100, sampleEvery: 0, graded: 1, draws: 2, perPrompt: 4, passes: 1, beta: 10, omega: -1,
  teacherDecay: 0.999, stopReward: 0,
} as const satisfies Omit<OnlineSettings, 'method' | 'model' | 'reward' | 'resolution' | Numbers>

/** What a setting is by default; nothing for those that need none. */
export function onlineDefault(method: OnlineMethod, setting: keyof OnlineSettings): unknown {
  return { ...otherwise, ...ownNumbers[method] }[setting as keyof typeof otherwise]
}

/** What each setting may be. */
export const onlineRanges: Readonly<Record<keyof OnlineSettings, Range>> = {
  method: oneOf(...onlineMethods), model: text, negated: flag,
  reward: { expected: 'an object of settings', accepts: (v) => typeof v === 'object' && v !== null },
  prompts: listOf(aText), steps: whole(1, 10_000_000), batch: whole(1, 1024), rank: whole(1, 1024), learningRate: positive,
  warmup: whole(0, 10_000_000), runSteps: whole(1, 1000), scale: finite, resolution: whole(8, 4096), seed: whole(0, 999_000),
  dtype: oneOf('f32', 'f16'), format: oneOf('diffusers', 'peft', 'kohya'), ema: decay, checkpointEvery: whole(1, 1_000_000),
  sampleEvery: whole(0, 1_000_000), graded: whole(1, 1000), draws: whole(1, 64), perPrompt: whole(2, 1024), passes: whole(1, 1000),
  beta: positive, omega: finite, teacherDecay: decay, stopReward: whole(0, 10_000_000),
}

/** Settings that not all methods have. */
const ownSettings: Readonly<Partial<Record<keyof OnlineSettings, readonly OnlineMethod[]>>> = {
  graded: ['draft'], draws: ['draft-lv'], perPrompt: ['ddpo'], passes: ['ddpo', 'spo'], beta: ['spo'], omega: ['self-npo'],
  teacherDecay: ['self-npo'], stopReward: ['draft', 'draft-lv', 'alignprop', 'refl'],
  ...Object.fromEntries((['negated', 'reward', 'ema', 'runSteps', 'scale'] as const).map(
    (name) => [name, onlineMethods.filter((method) => method !== 'self-npo')],
  )),
}

/** Whether a method has a setting. */
export function hasSetting(method: OnlineMethod, setting: keyof OnlineSettings): boolean {
  return ownSettings[setting]?.includes(method) ?? true
}

/** What a run of a method on digits cannot be told: those are in the model. */
const notOfDigits = ['reward', 'prompts', 'resolution', 'dtype'] as const

/**
 * All settings of a run, from those that are given.
 * @throws {UsageError} if one is outside its range, or not the method's or the model's
 */
export function resolveOnline(
  given: Partial<OnlineSettings> & Pick<OnlineSettings, 'method' | 'model'>,
): OnlineSettings {
  const { method, model } = given
  const digits = model === digitsModel
  const where = `train ${method}`
  const refuse = (expected: string, got: string): never => { throw new UsageError(`${where}: expected ${expected}, got ${got}`) }
  const settings: OnlineSettings = {
    ...otherwise, ...ownNumbers[method], ...(digits ? { ...digitsNumbers, dtype: 'f32', batch: 16 } : {}), ...given,
  }
  try {
    checkOptions<object>(where, settings, onlineRanges as Ranges<object>)
    if (settings.reward) checkReward(where, settings.reward)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  for (const name of Object.keys(given) as (keyof OnlineSettings)[]) {
    if (!hasSetting(method, name)) refuse(`${name} left out`, `it with the method ${method}`)
    if (digits && notOfDigits.includes(name as never)) refuse(`${name} left out`, `it with the model ${digitsModel}`)
  }
  if (!digits && settings.prompts.length === 0) refuse('prompts', 'none; pass --prompt TEXT…, or --prompts FILE with a prompt a line')
  if (!digits && method !== 'self-npo' && !settings.reward) refuse('a reward', 'none; pass --reward')
  if (method === 'draft' && settings.graded > settings.runSteps) {
    refuse(`graded of at most ${settings.runSteps}, the calls of a run`, `${settings.graded}`)
  }
  return settings
}

/** What a run's folder and adapter are called. */
export function onlineName({ method, negated }: Pick<OnlineSettings, 'method' | 'negated'>): string {
  return negated ? `negated-${method}` : method
}
