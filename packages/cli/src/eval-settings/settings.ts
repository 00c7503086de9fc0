import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { anObject, atLeast, checkOptions, either, listOf, oneOf, type Range, required, text, whole } from '@antipode/core/options'
import { aReward, checkReward, pathFrom, type RewardChoice, rewardFrom } from '../reward-choice.ts'
import { UsageError } from '../usage-error.ts'

/** Where an adapter comes from: a file, or random numbers in the form of another adapter, and as long. */
export type AdapterSource = string | { readonly like: string }

/** What scores pictures: a module, or a reward by its name. */
export type MetricSource = string | RewardChoice

/** Weights of adapters on the branches of guidance. */
export interface ArmSettings {
  readonly positive?: Readonly<Record<string, number>>
  readonly negative?: Readonly<Record<string, number>>
}

/** What `antipode eval` compares; the file that a user writes. Paths are relative to it. */
export interface EvalSettings {
  /** `digits-16`, or a checkpoint of Stable Diffusion. */
  readonly model: string
  readonly dtype?: 'f32' | 'f16' | 'bf16'
  /** Adapters by name; `{seed}` in a path stands for the seed. */
  readonly adapters: Readonly<Record<string, AdapterSource>>
  readonly arms: Readonly<Record<string, ArmSettings>>
  /** Does the first beat the second? The first arm against each other one where there are none. */
  readonly pairs?: readonly (readonly [string, string])[]
  readonly scales: readonly number[]
  readonly seeds: readonly number[]
  /** Images of each seed, and those that best scales are chosen on. */
  readonly items: { readonly evaluation: number; readonly selection: number }
  /** Images of a job. */
  readonly batch: number
  readonly steps: number
  /** What checkpoints of Stable Diffusion draw, in turn: prompts, or a file with one a line. */
  readonly prompts?: string | readonly string[]
  readonly negativePrompt?: string
  readonly width?: number
  readonly height?: number
  /** Modules or rewards by the metric they score, `judge` among them, for checkpoints of Stable Diffusion. */
  readonly metrics?: Readonly<Record<string, MetricSource>>
  /** Of the bootstrap. */
  readonly bootstrap: { readonly seed: number; readonly samples: number }
}

const defaults = { adapters: {}, seeds: [0], batch: 16, steps: 20, bootstrap: { seed: 0, samples: 2000 } }

const byName = (what: string, range: Range): Range => ({
  expected: `${what} by name`,
  accepts: (v) => typeof v === 'object' && v !== null && !Array.isArray(v) && Object.values(v).every((one) => range.accepts(one)),
})
const like: Range = { expected: '{ like: name }', accepts: (v) => typeof v === 'object' && v !== null && text.accepts((v as { like?: unknown }).like) }
const pair: Range = { expected: 'two names', accepts: (v) => listOf(text).accepts(v) && (v as unknown[]).length === 2 }

const ranges: Readonly<Record<keyof EvalSettings, Range>> = {
  model: required(text), dtype: oneOf('f32', 'f16', 'bf16'), adapters: byName('files', either(text, like)),
  arms: required(byName('arms', anObject('weights of adapters'))), pairs: listOf(pair),
  scales: required(listOf(atLeast(0))), seeds: listOf(whole(0, 4000)), items: required(anObject('{ evaluation, selection }')),
  batch: whole(1, 4096), steps: whole(1, 1000), prompts: either(text, listOf(text)), negativePrompt: { expected: 'a text', accepts: (v) => typeof v === 'string' },
  width: whole(8), height: whole(8), metrics: byName('modules or rewards', either(text, aReward)), bootstrap: anObject('{ seed, samples }'),
}

/**
 * The settings in a file, with paths as they lead from here.
 * @throws {UsageError} if it cannot be read, a setting is unknown or outside its range, or one does not fit another
 */
export async function readEvalSettings(file: string): Promise<EvalSettings> {
  const folder = dirname(file)
  const read = await settingsIn(file)
  const settings = { ...defaults, ...read } as object as EvalSettings // as is checked next
  try {
    checkOptions<object>(file, settings, ranges)
    for (const [name, arm] of Object.entries(settings.arms)) checkArm(`${file}: arm ${name}`, arm, settings)
    for (const name of (settings.pairs ?? []).flat()) mustHave(`${file}: pairs`, 'an arm', name, settings.arms)
    for (const source of Object.values(settings.adapters)) {
      if (typeof source !== 'string') mustHave(`${file}: adapters`, 'an adapter', source.like, settings.adapters)
    }
    for (const [name, metric] of Object.entries(settings.metrics ?? {})) {
      if (typeof metric !== 'string') checkReward(`${file}: metric ${name}`, metric)
    }
    checkOptions<object>(`${file}: items`, settings.items, { evaluation: required(whole(2)), selection: required(whole(1)) })
    checkOptions<object>(`${file}: bootstrap`, settings.bootstrap, { seed: required(whole(0)), samples: required(whole(1)) })
  } catch (error) {
    throw new UsageError(`eval: ${(error as Error).message}`, { cause: error })
  }
  const from = (path: string): string => pathFrom(folder, path)
  const metric = (source: MetricSource): MetricSource => (typeof source === 'string' ? from(source) : rewardFrom(folder, source))
  const mapped = <T>(all: Readonly<Record<string, T>>, change: (one: T) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, change(one)]))
  return {
    ...settings,
    model: isDigits(settings.model) ? settings.model : from(settings.model),
    adapters: mapped(settings.adapters, (source) => (typeof source === 'string' ? from(source) : source)),
    ...(settings.metrics ? { metrics: mapped(settings.metrics, metric) } : {}),
    ...(settings.prompts === undefined ? {} : { prompts: await promptsOf(settings.prompts, from) }),
  }
}

/** Whether a model is the digits model that comes with Antipode, which has a judge of its own. */
export function isDigits(model: string): model is 'digits-16' {
  return model === 'digits-16'
}

function checkArm(where: string, arm: ArmSettings, { adapters }: EvalSettings): void {
  const weights = byName('weights of adapters', { expected: '', accepts: (v) => Number.isFinite(v) })
  checkOptions<object>(where, arm, { positive: weights, negative: weights })
  for (const name of [...Object.keys(arm.positive ?? {}), ...Object.keys(arm.negative ?? {})]) mustHave(where, 'an adapter', name, adapters)
}

function mustHave(where: string, what: string, name: string, all: object): void {
  if (!Object.hasOwn(all, name)) throw new UsageError(`${where}: expected ${what} of ${Object.keys(all).join(', ') || 'none'}, got ${name}; name it first`)
}

async function promptsOf(prompts: string | readonly string[], from: (path: string) => string): Promise<readonly string[]> {
  if (typeof prompts !== 'string') return prompts
  const lines = await readFile(from(prompts), 'utf8').catch((cause: Error) => {
    throw new UsageError(`eval: expected prompts to be a file with one a line, got ${prompts}: ${cause.message}`, { cause })
  })
  return lines.split(/\r?\n/).filter((line) => line.trim() !== '')
}

async function settingsIn(file: string): Promise<object> {
  const refuse = (got: string, cause?: unknown): never => {
    throw new UsageError(`eval: expected a file of settings, got ${got}; see the guide on evaluation`, { cause })
  }
  const content = await readFile(file, 'utf8').catch((error: Error) => refuse(`${file}: ${error.message}`, error))
  try {
    const settings: unknown = JSON.parse(content)
    if (typeof settings === 'object' && settings !== null && !Array.isArray(settings)) return settings
  } catch (error) {
    return refuse(`${file}: ${(error as Error).message}`, error)
  }
  return refuse(`${file}, which is another kind of JSON`)
}
