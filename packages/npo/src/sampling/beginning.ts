import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import {
  isDone, type SamplingPlan, type Scheduler, SchedulerError, type SchedulerState, stepCount, type Steps,
} from '@antipode/schedulers'
import type { SampleState } from './state.ts'
import { tensorLinear } from './tensor-linear.ts'

/** Where a run starts, and how long it is. */
export interface StartOptions {
  /**
   * How many steps, or which timesteps. A `strength` below 1 leaves out the first of them, and needs an `image`; it
   * must leave one.
   */
  readonly steps: Steps
  /**
   * Clean sample in the shape of the noise to start from, image to image: it is noised to the level of the first step.
   * Not disposed.
   */
  readonly image?: Tensor
  /** First step to take, whole, 0 … N − 1, where not the `strength` says it; a later one than 0 needs an `image`. */
  readonly startAt?: number
  /** Call of the model to stop before, 1 … M, as another model goes on from there: M, the end, by default. */
  readonly stopAt?: number
  /**
   * Where an earlier run stood, to go on from there with the same steps and options: `step.state`, or a copy that
   * {@link keepState} made. The noise then gives no more than its shape. Not disposed.
   */
  readonly from?: SampleState
}

/** Where a run begins: at its first step, at an image noised to a later one, or where another run stood. */
export function beginning(scheduler: Scheduler, noise: Tensor, options: StartOptions): SampleState {
  const { steps, image, startAt, from } = options
  const plan = scheduler.timesteps(steps)
  if (from !== undefined) {
    if (image !== undefined) refuseBeside('image')
    if (startAt !== undefined) refuseBeside('startAt')
    return continued(from, plan, noise)
  }
  const solver: SchedulerState<Tensor> = scheduler.begin(plan, startAt)
  // Schedulers refuse a strength that leaves no step.
  if (isDone(solver)) {
    const last = stepCount(plan) - 1
    throw new SchedulerError(`sample: expected startAt from 0 to ${last}, got ${startAt}, which leaves no step to take`)
  }
  return { sample: startOf(scheduler, plan, solver, noise, image), solver, guidance: {}, stream: undefined }
}

function refuseBeside(option: string): never {
  throw new ConfigError(
    `sample: expected a run that goes on to begin where its state says, got ${option} as well; leave it out`,
  )
}

/** The call that a run stops before. @throws {ConfigError} if it would stop before it begins, or after its end */
export function stopOf({ timesteps: { length } }: SamplingPlan, first: number, stopAt: number = length): number {
  if (stopAt > first && stopAt <= length) return stopAt
  throw new ConfigError(`sample: expected stopAt from ${first + 1} to ${length}, got ${stopAt}, where no call is left to make`)
}

/** The state of another run, which must be of the same plan and have a call left. */
function continued(from: SampleState, plan: SamplingPlan, noise: Tensor): SampleState {
  const text = ({ timesteps }: SamplingPlan): string => `${timesteps.length} calls from timestep ${timesteps[0]}`
  const own = from.solver.plan
  if (own.timesteps.join() !== plan.timesteps.join()) {
    throw new ConfigError(
      `sample: expected the steps of the run that goes on, ${text(own)}, got ${text(plan)}; ask for the same`,
    )
  }
  if (isDone(from.solver)) {
    throw new ConfigError('sample: expected a run that is not over, got one that has made all its calls; begin another')
  }
  checkShape('the sample to go on from', from.sample, noise)
  return from
}

/** What the first step takes: scaled noise, or the image noised to the level there. */
function startOf(
  scheduler: Scheduler, plan: SamplingPlan, state: SchedulerState<Tensor>, noise: Tensor, image: Tensor | undefined,
): Tensor {
  if (image !== undefined) {
    checkShape('an image', image, noise)
    return scheduler.addNoise(tensorLinear, image, noise, state)
  }
  if (state.step === 0) return noise.mul(scheduler.initNoiseSigma(plan))
  throw new ConfigError(
    `sample: expected an image for a run from call ${state.step} on, got none; ` +
      'pass it, or leave out startAt and strength',
  )
}

/** @throws {ShapeError} unless a tensor has the shape of the noise */
export function checkShape(what: string, { shape }: Tensor, noise: Tensor): void {
  if (shape.join() === noise.shape.join()) return
  const [wanted, got] = [noise.shape.join(), shape.join()]
  throw new ShapeError(`sample: expected ${what} of the shape of the noise, [${wanted}], got [${got}]`)
}
