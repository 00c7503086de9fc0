import { full, Tensor } from '@antipode/core'
import {
  abortSignal, anObject, callable, checkOptions, either, flag, type Range, type Ranges, required, whole,
} from '@antipode/core/options'
import { currentTimestep, type NoiseStream, type Scheduler, type SchedulerState } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import type { Guided, GuidedDenoiser } from '../guidance/index.ts'
import { beginning, checkShape, type StartOptions, stopOf } from './beginning.ts'
import { FiniteCalls } from './finite-calls.ts'
import { freshNoise } from './fresh-noise.ts'
import { pointOf } from './point.ts'
import { heldBy, type SampleState } from './state.ts'
import { tensorLinear } from './tensor-linear.ts'

/** Options of {@link sample}. */
export interface SampleOptions extends StartOptions {
  /**
   * Seed of the fresh noise of stochastic solvers, whole, in [0, 2⁵³), 0 by default; call k draws stream 2³¹ + k of it.
   * Deterministic solvers need none.
   */
  readonly seed?: number
  /**
   * Where that noise comes from instead of the seed: `torchCpu`, `philox` or `perItem` of @antipode/schedulers, or your
   * own. To go on where a draw of the initial noise left it, pass `{ ...stream, begin: () => state }`.
   */
  readonly stream?: NoiseStream<unknown>
  /**
   * Whether each step also gives its estimate of the clean sample, for previews: one small kernel a step. False by
   * default.
   */
  readonly preview?: boolean
  readonly signal?: AbortSignal
  /** Changes the estimate of the clean sample before the step goes on from it, for example a clamp. */
  readonly x0?: (x0: Tensor) => Tensor
  /**
   * Changes the sample after each step, for example to keep a part of an image.
   * @param next where the run stands then: `isDone` of @antipode/schedulers tells whether it is over
   */
  readonly revise?: (sample: Tensor, next: SchedulerState<Tensor>) => Tensor
}

const aTensor: Range = { expected: 'a Tensor', accepts: (v) => v instanceof Tensor }
const aNumber: Range = { expected: 'a number', accepts: (v) => typeof v === 'number' }

const ranges: Ranges<SampleOptions> = {
  // Schedulers know which steps they can take.
  steps: required(either(aNumber, anObject('a request for steps'))), image: aTensor, startAt: whole(0),
  from: anObject('the state of a run'), seed: whole(0),
  stream: anObject('a noise stream'), preview: flag, signal: abortSignal, x0: callable,
  revise: callable, stopAt: whole(1),
}

/**
 * One call of the model in a sampling run; solvers of Heun's kind make two a step. Its tensors live until the next step
 * is asked for or the loop is left.
 */
export interface SampleStep {
  readonly index: number
  /** One more than the index of the last call. */
  readonly steps: number
  readonly timestep: number
  /** `[B, ...]` at the next noise level. That of the last step is the result: it is the caller's to dispose. */
  readonly sample: Tensor
  /** Where the run stands now: pass it as `from` to branch off, or a copy made by {@link keepState} to go on later. */
  readonly state: SampleState
  /** The clean sample as estimated at this step, if `preview` is set. */
  readonly x0?: Tensor
}

/**
 * Denoises step by step: an async iterator, so that a caller can show previews, stop early, or work in between.
 * Does not dispose `noise` or `condition`; what `denoise` returns belongs to the run.
 * @param denoise a denoiser, or a {@link guided} one, whose state becomes part of the run's
 * @param noise unit normal, `[B, ...]`; the solver's initial scale is applied here
 * @throws {SchedulerError} if the solver cannot make such steps, or none of them is left to take
 * @throws {ConfigError} if an option is unknown or outside its range, the run begins after its first step and there is
 * no image, or `from` is of other steps or beside what it decides
 * @throws {ShapeError} if the image or a prediction is not of the shape of the noise
 * @throws {NumericError} in place of the last step if its sample is not finite, or too large to be added up in f32: it
 * names the first step where that was so. Nothing is read back before
 */
export async function* sample<C extends Condition>(
  denoise: Denoiser<C> | GuidedDenoiser<C>,
  scheduler: Scheduler,
  noise: Tensor,
  condition: C,
  options: SampleOptions,
): AsyncGenerator<SampleStep, void, void> {
  checkOptions('sample', options, ranges)
  const { seed = 0, stream, preview = false, signal, x0: hook, revise } = options
  const { device } = noise
  let at = beginning(scheduler, noise, options)
  const { plan, step: first } = at.solver
  const fresh = freshNoise(noise, seed, stream, options.from?.stream)
  const hooks = hook ? { x0: shaped(hook, noise) } : {}
  using calls = new FiniteCalls()
  const given = new Set(options.from ? heldBy(options.from) : [])
  let owned: readonly Tensor[] = []
  const steps = stopOf(plan, first, options.stopAt)
  let finished = false
  try {
    while (at.solver.step < steps) {
      signal?.throwIfAborted()
      const { solver, sample: x } = at
      const { step: index } = solver
      const timestep = currentTimestep(solver)
      const scale = scheduler.inputScale(solver)
      const timesteps = full(device, [noise.shape[0] ?? 1], timestep) // [B]
      const input = scale === 1 ? x : x.mul(scale)
      const { prediction, state: guidance } = predict(denoise, input, timesteps, condition, scheduler, at)
      checkShape('predictions', prediction, noise)
      const drawn = scheduler.needsNoise(solver) ? fresh.draw(index) : undefined
      if (drawn !== undefined) owned = [...owned, drawn]
      const next = scheduler.step(tensorLinear, solver, prediction, x, drawn, hooks)
      const after = revise ? revise(next.sample, next.state) : next.sample
      checkShape('what revise gives', after, noise)
      at = { sample: after, solver: next.state, guidance, stream: fresh.state }
      const values = [...new Set([...heldBy(at), ...(preview ? [next.x0] : [])])]
      const earlier = owned
      const made = values.filter((t) => !given.has(t))
      owned = [...new Set([...earlier, ...made])]
      await calls.evaluate(after, values)
      for (const t of earlier) if (!values.includes(t)) t.dispose()
      owned = made
      const last = next.state.step >= steps
      if (last) await calls.check(plan.timesteps, first)
      finished = last
      yield { index, steps, timestep, sample: after, state: at, ...(preview ? { x0: next.x0 } : {}) }
    }
  } finally {
    // Stopped early, nothing is the caller's; at the end the result is.
    for (const t of owned) if (!(finished && t === at.sample)) t.dispose()
  }
}

/** The prediction for a call, and what guidance remembers after it. */
function predict<C extends Condition>(
  denoise: Denoiser<C> | GuidedDenoiser<C>,
  x: Tensor,
  timesteps: Tensor,
  condition: C,
  scheduler: Scheduler,
  { solver, guidance: state }: SampleState,
): Guided {
  if (typeof denoise === 'function') return { prediction: denoise(x, timesteps, condition), state }
  return denoise.call(x, timesteps, condition, { ...pointOf(scheduler, solver), state })
}

/** A hook that may not change the shape. */
function shaped(hook: (x0: Tensor) => Tensor, noise: Tensor): (x0: Tensor) => Tensor {
  return (x0) => {
    const changed = hook(x0)
    checkShape("the x0 hook's result", changed, noise)
    return changed
  }
}

/**
 * Runs {@link sample} to its end and gives the result, which is finite and the caller's to dispose. Errors as `sample`.
 */
export async function sampleToEnd<C extends Condition>(
  denoise: Denoiser<C> | GuidedDenoiser<C>,
  scheduler: Scheduler,
  noise: Tensor,
  condition: C,
  options: SampleOptions,
): Promise<Tensor> {
  let result: Tensor | undefined
  const run = sample(denoise, scheduler, noise, condition, { ...options, preview: false })
  for await (const step of run) result = step.sample
  // At least one step is left to take, or the scheduler has thrown.
  return result as Tensor
}
