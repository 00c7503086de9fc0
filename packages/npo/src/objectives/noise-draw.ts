import { ConfigError, constant, randn, ShapeError, type TensorHost } from '@antipode/core'
import { checkOptions, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import { type ModelPrediction, noiseCoefficients, type PredictionType, type Schedule } from '@antipode/schedulers'
import type { NoiseDraw } from './objective.ts'

/** Options of {@link drawNoise}. */
export interface DrawNoiseOptions {
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
  /** Number of the training step, whole, in [0, 2³²). */
  readonly step: number
}

/**
 * The timesteps and noise of training step `step`: uniform timesteps and unit normal noise that depend on nothing but the
 * seed and the step, so that a resumed run draws what the uninterrupted one would have. The draw carries what the model
 * learns to predict, which the schedule knows: pass that of the model's scheduler, or say it to `noiseSchedule`.
 * @param schedule of the process that the model was trained with: ε, v or x₀ from a table of ᾱ
 * @param shape of the samples, `[B, ...]`; 1 to 1,024 a batch
 * @throws {ConfigError} if the schedule is none, or of a flow or another process; or if seed or step is out of range
 * @throws {ShapeError} if the batch is empty or has more samples
 */
export function drawNoise(device: TensorHost, schedule: Schedule, shape: readonly number[], options: DrawNoiseOptions): NoiseDraw {
  checkOptions('drawNoise', options, { seed: required(whole(0)), step: required(whole(0, 2 ** 32 - 1)) })
  const predictionType = learnt(schedule)
  const [count = 0] = shape
  if (!(Number.isInteger(count) && count >= 1 && count <= 1024)) {
    throw new ShapeError(`drawNoise: expected samples [B, ...] with B from 1 to 1024, got [${shape.join()}]; accumulate gradients over more`)
  }
  const { seed, step } = options
  const random = rng(seed, { stream: step })
  const timesteps = Array.from({ length: count }, () => random.int(schedule.trainSteps))
  const { signal, noise } = noiseCoefficients(schedule, timesteps)
  const column = [count, ...shape.slice(1).map(() => 1)]
  return {
    predictionType,
    timesteps: constant(device, timesteps),
    signal: constant(device, signal, column),
    sigma: constant(device, noise, column),
    noise: randn(device, shape, { seed, stream: step }),
  }
}

/** What the model of a schedule learns. From JavaScript the schedule may also be null, as that of flow and EDM solvers is. */
function learnt(schedule: Schedule | null | undefined): PredictionType {
  const known: readonly (ModelPrediction | undefined)[] = ['epsilon', 'v_prediction', 'sample']
  const type = schedule?.predictionType
  if (known.includes(type) && schedule?.otherProcess === undefined) return type as PredictionType // one of those three
  const got = schedule ? `${String(type)}${schedule.otherProcess === undefined ? '' : ` of ${schedule.otherProcess}`}` : String(schedule)
  throw new ConfigError(
    `drawNoise: expected a schedule of a model that predicts 'epsilon', 'v_prediction' or 'sample' from x = √ᾱ·x₀ + √(1−ᾱ)·ε, got ${got}; ` +
      'draw noise and regress on the target of such a model in a loss of your own',
  )
}
