import { ConfigError, full, randn, ShapeError, Tensor, tensor } from '@antipode/core'
import { abortSignal, anObject, callable, checkOptions, either, flag, type Range, type Ranges, required, whole } from '@antipode/core/options'
import {
  currentTimestep, isDone, type NoiseStream, type SamplingPlan, type Scheduler, SchedulerError, type SchedulerState, stepCount, type Steps, tensorsOf,
} from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import { tensorLinear } from '../linear.ts'
import { FiniteCalls } from './finite-calls.ts'

/** Options of {@link sample}. */
export interface SampleOptions {
  /** How many steps, or which timesteps. A `strength` below 1 leaves out the first of them, and needs an `image`; it must leave one. */
  readonly steps: Steps
  /** Clean sample in the shape of the noise to start from, image to image: it is noised to the level of the first step. Not disposed. */
  readonly image?: Tensor
  /** First step to take, whole, 0 … N − 1, where not the `strength` says it; a later one than 0 needs an `image`. */
  readonly startAt?: number
  /**
   * Seed of the fresh noise of stochastic solvers, whole, in [0, 2⁵³), 0 by default; call k draws stream 2³¹ + k of it.
   * Deterministic solvers need none.
   */
  readonly seed?: number
  /**
   * Where that noise comes from instead of the seed: `torchCpu`, `philox` or `perItem` of @antipode/schedulers, or your own.
   * To go on where a draw of the initial noise left it, pass `{ ...stream, begin: () => state }`.
   */
  readonly stream?: NoiseStream<unknown>
  /** Whether each step also gives its estimate of the clean sample, for previews, false by default; costs one small kernel a step. */
  readonly preview?: boolean
  readonly signal?: AbortSignal
  /** Changes the estimate of the clean sample before the step goes on from it, for example a clamp. */
  readonly x0?: (x0: Tensor) => Tensor
}

const aTensor: Range = { expected: 'a Tensor', accepts: (v) => v instanceof Tensor }
const aNumber: Range = { expected: 'a number', accepts: (v) => typeof v === 'number' }

const ranges: Ranges<SampleOptions> = {
  // Schedulers know which steps they can take.
  steps: required(either(aNumber, anObject('a request for steps'))), image: aTensor, startAt: whole(0), seed: whole(0),
  stream: anObject('a noise stream'), preview: flag, signal: abortSignal, x0: callable,
}

/** One call of the model in a sampling run; solvers of Heun's kind make two a step. Its tensors live until the next step is asked for or the loop is left. */
export interface SampleStep {
  readonly index: number
  readonly steps: number
  readonly timestep: number
  /** `[B, ...]` at the next noise level. That of the last step is the result: it is the caller's to dispose. */
  readonly sample: Tensor
  /** The clean sample as estimated at this step, if `preview` is set. */
  readonly x0?: Tensor
}

/** Callers draw initial noise from small streams; were a step to draw the same one, it would add that very noise again. */
const firstStream = 2 ** 31

/**
 * Denoises step by step: an async iterator, so that a caller can show previews, stop early, or do other work in between.
 * Does not dispose `noise` or `condition`; what `denoise` returns belongs to the run.
 * @param noise unit normal, `[B, ...]`; the solver's initial scale is applied here
 * @throws {SchedulerError} if the solver cannot make such steps, or none of them is left to take
 * @throws {ConfigError} if an option is unknown or outside its range, or the run begins after its first step and there is no image
 * @throws {ShapeError} if the image or a prediction is not of the shape of the noise
 * @throws {NumericError} in place of the last step if its sample is not finite, or too large to be added up in f32: it names
 * the first step where that was so. Nothing is read back before
 */
export async function* sample<C extends Condition>(
  denoise: Denoiser<C>,
  scheduler: Scheduler,
  noise: Tensor,
  condition: C,
  options: SampleOptions,
): AsyncGenerator<SampleStep, void, void> {
  checkOptions('sample', options, ranges)
  const { steps, image, startAt, seed = 0, stream, preview = false, signal, x0: hook } = options
  const { device } = noise
  const plan = scheduler.timesteps(steps)
  let state: SchedulerState<Tensor> = scheduler.begin(plan, startAt)
  // Schedulers refuse a strength that leaves no step.
  if (isDone(state)) throw new SchedulerError(`sample: expected startAt from 0 to ${stepCount(plan) - 1}, got ${startAt}, which leaves no step to take`)
  let x = startOf(scheduler, plan, state, noise, image)
  const draw = freshNoise(noise, seed, stream)
  const hooks = hook ? { x0: shaped(hook, noise) } : {}
  using calls = new FiniteCalls()
  const first = state.step
  let owned: readonly Tensor[] = []
  const total = plan.timesteps.length
  let finished = false
  try {
    while (!isDone(state)) {
      signal?.throwIfAborted()
      const timestep = currentTimestep(state)
      const scale = scheduler.inputScale(state)
      const timesteps = full(device, [noise.shape[0] ?? 1], timestep) // [B]
      const prediction = denoise(scale === 1 ? x : x.mul(scale), timesteps, condition)
      checkShape('predictions', prediction, noise)
      const fresh = scheduler.needsNoise(state) ? draw(state.step) : undefined
      if (fresh !== undefined) owned = [...owned, fresh]
      const next = scheduler.step(tensorLinear, state, prediction, x, fresh, hooks)
      const values = [...new Set([next.sample, ...tensorsOf(next.state), ...(preview ? [next.x0] : [])])]
      const earlier = owned
      owned = [...new Set([...earlier, ...values])]
      const { step: index } = state
      await calls.evaluate(next.sample, values)
      for (const t of earlier) if (!values.includes(t)) t.dispose()
      owned = values
      x = next.sample
      state = next.state
      if (isDone(state)) await calls.check(plan.timesteps, first)
      finished = isDone(state)
      yield { index, steps: total, timestep, sample: x, ...(preview ? { x0: next.x0 } : {}) }
    }
  } finally {
    // Stopped early, nothing is the caller's; at the end the result is.
    for (const t of owned) if (!(finished && t === x)) t.dispose()
  }
}

/** A hook that may not change the shape. */
function shaped(hook: (x0: Tensor) => Tensor, noise: Tensor): (x0: Tensor) => Tensor {
  return (x0) => {
    const changed = hook(x0)
    checkShape("the x0 hook's result", changed, noise)
    return changed
  }
}

function checkShape(what: string, { shape }: Tensor, noise: Tensor): void {
  if (shape.join() === noise.shape.join()) return
  throw new ShapeError(`sample: expected ${what} of the shape of the noise, [${noise.shape.join()}], got [${shape.join()}]`)
}

/** What the first step takes: scaled noise, or the image noised to the level there. */
function startOf(scheduler: Scheduler, plan: SamplingPlan, state: SchedulerState<Tensor>, noise: Tensor, image: Tensor | undefined): Tensor {
  if (image !== undefined) {
    checkShape('an image', image, noise)
    return scheduler.addNoise(tensorLinear, image, noise, state)
  }
  if (state.step === 0) return noise.mul(scheduler.initNoiseSigma(plan))
  throw new ConfigError(`sample: expected an image for a run from call ${state.step} on, got none; pass it, or leave out startAt and strength`)
}

/** The noise that a run adds on its way, call by call. */
function freshNoise({ device, shape, size }: Tensor, seed: number, stream: NoiseStream<unknown> | undefined): (call: number) => Tensor {
  if (stream === undefined) return (call) => randn(device, shape, { seed, stream: firstStream + call })
  let state = stream.begin()
  return () => {
    const drawn = stream.draw(state, size)
    state = drawn.state
    return tensor(device, drawn.values, shape)
  }
}

/** Runs {@link sample} to its end and gives the result, which is finite and the caller's to dispose. Errors as `sample`. */
export async function sampleToEnd<C extends Condition>(
  denoise: Denoiser<C>,
  scheduler: Scheduler,
  noise: Tensor,
  condition: C,
  options: SampleOptions,
): Promise<Tensor> {
  let result: Tensor | undefined
  for await (const step of sample(denoise, scheduler, noise, condition, { ...options, preview: false })) result = step.sample
  // At least one step is left to take, or the scheduler has thrown.
  return result as Tensor
}
