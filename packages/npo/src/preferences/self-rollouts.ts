import { type Backend, constant, evaluate, randn, stopGradient, type Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, finite, oneOf, required, whole } from '@antipode/core/options'
import { type Rng, rng } from '@antipode/core/random'
import type { Scheduler, SchedulerState } from '@antipode/schedulers'
import type { Condition, Denoiser } from '../denoiser.ts'
import type { SelfNpoBatch } from '../objectives/index.ts'
import { predictedClean } from '../process/index.ts'
import { levelAt, stepCoefficients } from '../transitions/index.ts'
import type { BatchMaker } from './reward-rollouts.ts'

/** How the teacher's runs go. */
export interface TruncatedRunOptions<C extends Condition> {
  /** The average of the model, for example `model.withParameters(average.averages())`. */
  readonly teacher: Denoiser<C>
  readonly unconditional: (condition: C) => C
  /**
   * ω', by which the teacher's conditional estimate is moved away from its unconditional one: −1, the default, is the
   * unconditional one alone, 0 the conditional one.
   */
  readonly omega?: number
  /** DDIM without noise, clipping, or an end at ᾱ = 1: `ddim({ clipSample: false, setAlphaToOne: false, … })`. */
  readonly scheduler: Scheduler
  /** Most steps of a run, whole, 0 or more; 5 by default. */
  readonly moves?: number
  /**
   * When a sample whose run has ended at t = 0 is judged: 'per-sample', the default, at t = 0; 'released' as the
   * released code does, where that depends on the others of the batch, since it stops once all have ended.
   */
  readonly variant?: 'per-sample' | 'released'
}

/** Where runs begin and how they are noised afterwards, a number a sample. */
export interface RunPlan {
  /** Index of the level in the grid, from 0, the lowest. */
  readonly starts: readonly number[]
  /** Timestep to noise to at the end, above that of the end. */
  readonly noised: readonly number[]
}

/** Timesteps of the grid, rising: {39, 79, …, 999} of 1,000, as released. */
export const selfGrid: readonly number[] = Array.from({ length: 25 }, (_, i) => 40 * i + 39)

/** Timestep at which a run of so many moves ends, from a level of the grid. */
export function runEnd(start: number, moves: number): number {
  return selfGrid[start - moves] ?? 0
}

/**
 * A few steps of the teacher from noised samples, its clean estimate at their end, and that end noised again. The end's
 * state is noised, and not the estimate, so that what the model learns from has the marginal of its own runs.
 * @param clean z, `[B, ...]` @param noises unit normal, like it: for the start and for the end
 * Source: G-U-N/Diffusion-NPO, Self-NPO/train.py.
 */
export function truncatedRuns<C extends Condition>(
  clean: Tensor, noises: readonly [start: Tensor, end: Tensor], condition: C,
  { starts, noised }: RunPlan, options: TruncatedRunOptions<C>,
): SelfNpoBatch<C> {
  const { scheduler, moves = 5, variant = 'per-sample' } = options
  const { device, shape } = clean
  const column = (values: readonly number[]): Tensor =>
    constant(device, values, [values.length, ...shape.slice(1).map(() => 1)])
  const predictionType = scheduler.schedule?.predictionType ?? 'flow_prediction'
  const levels = (timesteps: readonly number[]): { readonly alpha: readonly number[]; readonly sigma: readonly number[] } => {
    const all = timesteps.map((t) => levelAt(scheduler, t))
    return { alpha: all.map(({ signal }) => signal), sigma: all.map(({ noise }) => noise) }
  }
  const falling = [...selfGrid].reverse()
  const begun: SchedulerState<unknown> = scheduler.begin({ timesteps: falling })
  const predict = (x: Tensor, at: readonly number[]): Tensor => mixed(x, constant(device, at.map(Math.fround)), condition, options)

  const first = levels(starts.map((k) => selfGrid[k]!))
  let x = clean.mul(column(first.alpha)).add(noises[0].mul(column(first.sigma)))
  let prediction = clean
  let judged: Tensor = x
  let at: readonly number[] = []
  const ended = Math.max(...starts) + 1 // moves until all runs have ended
  const made = Math.min(moves, ended)
  const judges = variant === 'released' && ended <= moves ? made : made + 1
  for (let move = 0; move < Math.max(made, judges); move++) {
    if (move < judges) {
      at = starts.map((k) => runEnd(k, move))
      prediction = predict(x, at)
      judged = x
    }
    if (move >= made) continue
    const steps = starts.map((k) => (k - move < 0
      ? { sample: 1, prediction: 0 }
      : stepCoefficients(scheduler, { ...begun, step: falling.length - 1 - (k - move) })))
    x = x.mul(column(steps.map((s) => s.sample))).add(prediction.mul(column(steps.map((s) => s.prediction))))
  }
  const here = levels(at)
  const target = predictedClean(prediction, judged, { predictionType, alpha: column(here.alpha), sigma: column(here.sigma) })
  const from = levels(starts.map((k) => runEnd(k, made)))
  const to = levels(noised)
  const carried = to.alpha.map((a, b) => a / from.alpha[b]!)
  const added = to.sigma.map((s, b) => Math.sqrt(Math.max(0, s ** 2 - (from.sigma[b]! * carried[b]!) ** 2)))
  return {
    predictionType, condition, sample: stopGradient(x.mul(column(carried)).add(noises[1].mul(column(added)))),
    target: stopGradient(target), timesteps: constant(device, noised),
    alpha: column(to.alpha), sigma: column(to.sigma),
  }
}

/** (1 + ω')·e_c − ω'·e_∅, of which what counts for nothing is not computed. */
function mixed<C extends Condition>(
  x: Tensor, timesteps: Tensor, condition: C, { teacher, unconditional, omega = -1 }: TruncatedRunOptions<C>,
): Tensor {
  if (omega === -1) return teacher(x, timesteps, unconditional(condition))
  const own = teacher(x, timesteps, condition)
  if (omega === 0) return own
  return own.mul(1 + omega).sub(teacher(x, timesteps, unconditional(condition)).mul(omega))
}

/** Options of {@link selfRollouts}. */
export interface SelfRolloutOptions<C extends Condition> extends TruncatedRunOptions<C> {
  /** Clean samples of a training step, the model's own or real ones, `[B, ...]`, and their conditions. */
  readonly samples: (step: number) => { readonly samples: Tensor; readonly condition: C }
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/**
 * The batches of {@link selfNpo}: from a level of the grid drawn for each sample, up to five steps of the teacher, and
 * noise up to a level above where they end. Without data, give samples of zeros and the runs begin at nearly pure noise
 * where the level is high, or samples of the model's own.
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function selfRollouts<C extends Condition>(
  device: Backend, options: SelfRolloutOptions<C>,
): BatchMaker<SelfNpoBatch<C>> {
  checkOptions('selfRollouts', options, {
    teacher: required(callable), unconditional: required(callable), omega: finite,
    scheduler: required(anObject('a scheduler')), moves: whole(0), variant: oneOf('per-sample', 'released'),
    samples: required(callable), seed: required(whole(0)),
  })
  const { moves = 5, samples: samplesOf, seed } = options
  return {
    async batch(step) {
      const random = rng(seed, { stream: step })
      const { samples, condition } = samplesOf(step)
      const starts = Array.from({ length: samples.shape[0] ?? 0 }, () => random.int(selfGrid.length))
      const plan = { starts, noised: starts.map((k) => above(runEnd(k, moves), random)) }
      const draw = (stream: number): Tensor => randn(device, samples.shape, { seed: random.int(2 ** 32), stream })
      const made = truncatedRuns(samples, [draw(0), draw(1)], condition, plan, options)
      await evaluate(made.sample, made.target)
      return made
    },
    release: ({ sample, target }) => {
      sample.dispose()
      target.dispose()
    },
  }
}

/** U{t + 1 … 999} */
function above(t: number, random: Rng): number {
  return t + 1 + random.int(999 - t)
}
