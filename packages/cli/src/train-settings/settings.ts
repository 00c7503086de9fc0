import { readFile } from 'node:fs/promises'
import {
  checkOptions, flag, listOf, oneOf, positive, type Range, type Ranges, required, text, whole,
} from '@antipode/core/options'
import type { PairObjectiveName } from '@antipode/npo'
import { UsageError } from '../usage-error.ts'
import { aText, decay } from './ranges.ts'

/** Objectives of @antipode/npo, which is not loaded to read a command line, and whether they have a β. */
const objectives = {
  dpo: true, ipo: true, hinge: true, dmpo: true, sdpo: true, dspo: true, mapo: true, kto: true, sft: false,
} as const satisfies Readonly<Record<PairObjectiveName, boolean>>

/** Their names, which the compiler counts. */
export const objectiveNames: readonly PairObjectiveName[] = Object.keys(objectives) as PairObjectiveName[]

/** All that a run of `antipode train dpo` or `npo` depends on; it writes them beside its results. */
export interface PreferenceSettings {
  readonly objective: PairObjectiveName
  /** Whether the opposite preference is trained, as `train npo` does. */
  readonly negated: boolean
  /** A checkpoint of Stable Diffusion, and preference pairs: paths. */
  readonly model: string
  readonly pairs: string
  readonly rank: number
  readonly steps: number
  /** Pairs of a batch, and batches of a step. */
  readonly batch: number
  readonly accumulate: number
  readonly learningRate: number
  readonly warmup: number
  /** The objective's own where none is given. */
  readonly beta?: number
  /** Side of the square whose area pictures are brought to, in pixels; the model's own where none is given. */
  readonly resolution?: number
  readonly seed: number
  /** Element type of the models; in q8_0 their layers keep their weights in blocks, and compute in f16 or else f32. */
  readonly dtype: 'f32' | 'f16' | 'q8_0'
  /** Most that the average of the adapter keeps of itself in an update; the adapter that is saved and sampled then is that average. No average at 0. */
  readonly ema: number
  /** Updates in a row whose pairs are all ranked right, or all wrong, that end the run; none at 0. */
  readonly stopPinned: number
  /** Whose reader the adapter is for. */
  readonly format: 'diffusers' | 'peft' | 'kohya'
  readonly skipDamaged: boolean
  readonly checkpointEvery: number
  /** Steps between grids of samples; none at 0. */
  readonly sampleEvery: number
  readonly sampleSteps: number
  /** Prompts of the grids; the first of the pairs where there are none. */
  readonly samplePrompts: readonly string[]
}

/** Settings that are not given. */
export const defaultSettings: Required<
  Omit<PreferenceSettings, 'negated' | 'model' | 'pairs' | 'beta' | 'resolution'>
> = {
  objective: 'dpo', rank: 8, steps: 1000, batch: 4, accumulate: 1, learningRate: 5e-6, warmup: 0, seed: 0, dtype: 'f16',
  ema: 0, stopPinned: 0,
  format: 'diffusers', skipDamaged: false,
  checkpointEvery: 100, sampleEvery: 0, sampleSteps: 20, samplePrompts: [],
}


/** What each setting may be. */
export const settingRanges: Readonly<Record<keyof PreferenceSettings, Range>> = {
  objective: oneOf(...objectiveNames), negated: flag, model: text, pairs: text, rank: whole(1, 1024),
  steps: whole(1, 10_000_000), batch: whole(1, 1024), accumulate: whole(1, 65_536),
  learningRate: positive, warmup: whole(0, 10_000_000), beta: positive, resolution: whole(8, 4096),
  ema: decay, stopPinned: whole(0, 10_000_000), seed: whole(0, 999_000), dtype: oneOf('f32', 'f16', 'q8_0'), format: oneOf('diffusers', 'peft', 'kohya'), skipDamaged: flag,
  checkpointEvery: whole(1, 1_000_000), sampleEvery: whole(0, 1_000_000),
  sampleSteps: whole(1, 1000), samplePrompts: listOf(aText),
}

/**
 * Settings from a file that a run wrote, with those in place of its own that are given. Learning rate, β and rank are
 * by default those of Diffusion-NPO's scripts (see `trainPreference` of @antipode/pipelines).
 * @throws {UsageError} if the file cannot be read, a setting is unknown, outside its range or not the objective's, or
 * there is no model or no pairs
 */
export async function resolveSettings(
  given: Partial<PreferenceSettings> & Pick<PreferenceSettings, 'negated'>, file?: string,
): Promise<PreferenceSettings> {
  const read = file === undefined ? {} : await settingsIn(file)
  const settings = { ...defaultSettings, ...read, ...given }
  const where = `train ${given.negated ? 'npo' : 'dpo'}`
  const none: Range = { expected: `left out with the objective ${settings.objective}`, accepts: () => false }
  const withoutBeta: readonly unknown[] = objectiveNames.filter((name) => !objectives[name])
  const beta = withoutBeta.includes(settings.objective) ? none : settingRanges.beta
  const ranges = { ...settingRanges, beta, model: required(text), pairs: required(text) }
  try {
    checkOptions<object>(where, settings, ranges as Ranges<object>)
  } catch (error) {
    throw new UsageError(
      `${(error as Error).message}${file === undefined ? '' : `, in ${file} or among the options`}`, { cause: error },
    )
  }
  return settings as PreferenceSettings // what is required was found
}

async function settingsIn(file: string): Promise<object> {
  try {
    const settings: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof settings === 'object' && settings !== null && !Array.isArray(settings)) return settings
  } catch (cause) {
    throw new UsageError(
      `train: expected --settings to be a file of settings, got ${file}: ${(cause as Error).message}`, { cause },
    )
  }
  throw new UsageError(
    `train: expected --settings to be a file of settings, got another file at ${file}; pass settings.json of a run`,
  )
}

/** What a run's folder and adapter are called: `dpo`, its negation `npo`, and so on: `ipo`, `negated-ipo`. */
export function preferenceName({ objective, negated }: Pick<PreferenceSettings, 'objective' | 'negated'>): string {
  if (!negated) return objective
  return objective === 'dpo' ? 'npo' : `negated-${objective}`
}
