import { constant, randn, ShapeError, type Backend } from '@antipode/core'
import { callable, checkOptions, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import type { Schedule } from '@antipode/schedulers'
import { type ForwardProcess, processOf } from './forward-process.ts'
import type { LossWeight } from './loss-weights.ts'
import type { NoiseDraw } from './parametrisation.ts'

/** Options of {@link drawNoise}. */
export interface DrawNoiseOptions {
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
  /** Number of the training step, whole, in [0, 2³²). */
  readonly step: number
  /** Weights of errors by noise level, such as {@link minSnr}; all are 1 without. */
  readonly weight?: LossWeight
}

/**
 * The timesteps and noise of training step `step`: timesteps at random and unit normal noise that depend on nothing but
 * the seed and the step, so that a resumed run draws what the uninterrupted one would have. The draw carries what the
 * model learns to predict, which the process knows.
 * @param process that the model was trained with: the schedule of its scheduler (ε, v or x₀ from a table of ᾱ, at
 * timesteps drawn uniformly), {@link flowProcess}, or one of your own
 * @param shape of the samples, `[B, ...]`; 1 to 1,024 a batch
 * @throws {ConfigError} if the schedule is none, or of another process; or if an option is unknown or outside its range
 * @throws {ShapeError} if the batch is empty or has more samples
 */
export function drawNoise(
  device: Backend, process: Schedule | ForwardProcess, shape: readonly number[], options: DrawNoiseOptions,
): NoiseDraw {
  const ranges = { seed: required(whole(0)), step: required(whole(0, 2 ** 32 - 1)), weight: callable }
  checkOptions('drawNoise', options, ranges)
  const forward = processOf('drawNoise', process)
  const { predictionType } = forward
  const [count = 0] = shape
  if (!(Number.isInteger(count) && count >= 1 && count <= 1024)) {
    const got = `[${shape.join()}]`
    throw new ShapeError(
      `drawNoise: expected samples [B, ...] with B from 1 to 1024, got ${got}; accumulate gradients over more`,
    )
  }
  const { seed, step, weight } = options
  const random = rng(seed, { stream: step })
  const timesteps = Array.from({ length: count }, () => forward.timestep(random))
  const levels = timesteps.map((t) => forward.level(t))
  const column = [count, ...shape.slice(1).map(() => 1)]
  return {
    predictionType,
    timesteps: constant(device, timesteps),
    alpha: constant(device, levels.map(({ signal }) => signal), column),
    sigma: constant(device, levels.map(({ noise }) => noise), column),
    noise: randn(device, shape, { seed, stream: step }),
    ...(weight ? { weights: constant(device, levels.map((l) => weight(l, predictionType))) } : {}),
  }
}
