import { SchedulerError } from '../errors.ts'
import type { Linear } from '../linear/index.ts'
import { dynamicThreshold, type ThresholdConfig } from '../prediction/index.ts'
import { fromConfig } from '../registry/index.ts'
import { currentTimestep, isDone, type Scheduler, type SchedulerState, type Steps } from '../run/index.ts'
import { torchNormals } from './torch-random.ts'

/** What diffusers makes of a configuration: tools/golden/schedulers.py. A value that is not finite is null. */
export interface ReferenceRun {
  readonly timesteps: readonly (number | null)[]
  readonly sigmas: readonly (number | null)[] | null
  /** Standard deviation of the start. */
  readonly spread: number
  /** The sample after the first call of the model, and after the last. */
  readonly first: readonly (number | null)[]
  readonly last: readonly (number | null)[]
}

/** A random configuration, and what it is asked for. */
export interface ReferenceCase {
  readonly class: string
  readonly config: Readonly<Record<string, unknown>>
  readonly step: Readonly<Record<string, unknown>>
  readonly request: { readonly num_inference_steps?: number; readonly timesteps?: readonly number[] }
  /** Of its run: the model is told these, so that a timestep rounded otherwise is one difference and not many. */
  readonly timesteps?: readonly (number | null)[]
}

/** A case of the committed sample: with diffusers' run, that of its code in float64, or how a refusal here begins. */
export type SampleCase = ReferenceCase & (ReferenceRun & { readonly float64?: true } | { readonly refused: string })

/**
 * Our run of a case, or the message with which it is refused.
 * @param linear with tensors of float32 as diffusers has them, or of float64, where only tables and levels are rounded
 */
export function runCase<T extends Values>(one: ReferenceCase, linear: Linear<T>): ReferenceRun | string {
  const { num_inference_steps: count, timesteps } = one.request
  try {
    const scheduler = fromConfig({ _class_name: one.class, ...one.config, ...one.step })
    return wholeRun(scheduler, timesteps === undefined ? { count: count! } : { timesteps }, linear, one.timesteps)
  } catch (error) {
    if (error instanceof SchedulerError) return error.message
    throw error
  }
}

type Values = Float32Array | Float64Array

/** The adapter of float64 tensors. */
export const float64Linear: Linear<Float64Array> = {
  combine: (terms) => Float64Array.from(terms[0]![1], (_, i) => terms.reduce((sum, [c, x]) => sum + c * x[i]!, 0)),
  clamp: (value, low, high) => value.map((x) => Math.min(Math.max(x, low), high)),
}

function wholeRun<T extends Values>(
  scheduler: Scheduler,
  steps: Steps,
  linear: Linear<T>,
  say: readonly (number | null)[] | undefined,
): ReferenceRun {
  let state: SchedulerState<T> = scheduler.begin(steps)
  const { plan } = state
  const spread = scheduler.initNoiseSigma(plan)
  const made = (values: readonly number[]): T => linear.combine([[1, values as unknown as T]])
  let sample = made([0.3, -1.2, 0.8, 0.1].map((x) => Math.fround(x) * spread))
  let first: T | undefined
  const normals = torchNormals(0)
  const { thresholding = false, dynamicThresholdingRatio = 0, sampleMaxValue = 1 } = scheduler.config as Partial<ThresholdConfig>
  const threshold = dynamicThreshold({ dynamicThresholdingRatio, sampleMaxValue }, 2)
  // It reads and writes either kind of list alike.
  const hooks = thresholding ? { x0: (x0: T) => threshold(x0 as Float32Array) as T } : {}
  while (!isDone(state)) {
    const [scale, told] = [scheduler.inputScale(state), say?.[state.step] ?? currentTimestep(state)]
    const prediction = sample.map((x) => 0.5 * x * scale + told / 2000) as T
    const noise = scheduler.needsNoise(state) ? (normals(4) as T) : undefined
    ;({ state, sample } = scheduler.step(linear, state, prediction, sample, noise, hooks))
    first ??= sample
  }
  return { timesteps: plan.timesteps, sigmas: plan.sigmas ?? null, spread, first: [...first!], last: [...sample] }
}

/** How near float32 tensors come to those of diffusers, and float64 ones to its own code in float64. */
const tolerances: Readonly<Record<'float32' | 'float64', Readonly<Record<keyof ReferenceRun, number>>>> = {
  float32: { timesteps: 1e-3, sigmas: 2e-6, spread: 2e-6, first: 5e-6, last: 2e-5 },
  // Levels of plans are float32 in either.
  float64: { timesteps: 1e-3, sigmas: 2e-6, spread: 2e-6, first: 2e-6, last: 5e-6 },
}

/** The parts in which ours lies further from the reference than it may, each with how far. */
export function differences(ours: ReferenceRun, reference: ReferenceRun, precision: 'float32' | 'float64'): string[] {
  const far = distances(ours, reference)
  return Object.entries(tolerances[precision]).flatMap(([part, most]) => {
    const by = far[part as keyof ReferenceRun]
    return by <= most ? [] : [`${part} by ${by.toPrecision(2)}`]
  })
}

/** How far ours lies from the reference, by part: relative to the largest of a list, absolute for timesteps. */
function distances(ours: ReferenceRun, reference: ReferenceRun): Readonly<Record<keyof ReferenceRun, number>> {
  return {
    timesteps: apart(ours.timesteps, reference.timesteps, 1),
    sigmas: ours.sigmas === null || reference.sigmas === null ? 0 : apart(ours.sigmas, reference.sigmas, largest(reference.sigmas)),
    spread: Math.abs(ours.spread / reference.spread - 1),
    first: apart(ours.first, reference.first, largest(reference.first)),
    last: apart(ours.last, reference.last, largest(reference.last)),
  }
}

function apart(ours: readonly (number | null)[], theirs: readonly (number | null)[], scale: number): number {
  if (ours.length !== theirs.length) return Infinity
  return Math.max(0, ...theirs.map((value, i) => (value === null ? 0 : Math.abs(ours[i]! - value) / scale)))
}

function largest(values: readonly (number | null)[]): number {
  return Math.max(...values.map((value) => Math.abs(value ?? 0))) || 1
}
