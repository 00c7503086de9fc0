import { ConfigError } from '@antipode/core'
import { checkOptions, oneOf, positive, whole } from '@antipode/core/options'
import type { Rng } from '@antipode/core/random'
import { type ModelPrediction, type NoiseLevel, type Schedule, trainingLevel } from '@antipode/schedulers'

/** How samples are noised to train a model on them, and what it predicts of the noised ones. */
export interface ForwardProcess {
  readonly predictionType: ModelPrediction
  /** A timestep at random, as the model is told it. */
  timestep(random: Rng): number
  /** Shares of clean data and of noise there, x_t = signal·x₀ + noise·ε. */
  level(timestep: number): NoiseLevel
}

/** Options of {@link flowProcess}. */
export interface FlowProcessOptions {
  /** What the model is told at σ = 1, whole, 1 or more; 1,000 by default. */
  readonly trainSteps?: number
  /** Shift s of the levels, σ → s·σ/(1 + (s − 1)·σ), positive and finite; 1 by default, 3 for Stable Diffusion 3. */
  readonly shift?: number
  /**
   * How often each σ is drawn before it is shifted: 'uniform', the default, or 'logit-normal', more often in the
   * middle.
   */
  readonly density?: 'uniform' | 'logit-normal'
}

/**
 * A rectified flow: x = (1 − σ)·x₀ + σ·ε at every σ in (0, 1], of which the model is told `σ·trainSteps` and predicts
 * ε − x₀.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Sources: Liu et al. 2022, arXiv 2209.03003; shift and densities by Esser et al. 2024, arXiv 2403.03206, eq. 23 and
 * eq. 19 with m = 0, s = 1.
 */
export function flowProcess(options: FlowProcessOptions = {}): ForwardProcess {
  const densities = oneOf('uniform', 'logit-normal')
  checkOptions('flowProcess', options, { trainSteps: whole(1), shift: positive, density: densities })
  const { trainSteps = 1000, shift = 1, density = 'uniform' } = options
  // Numbers of `uniform` are in [0, 1), and at σ = 0 there is nothing to learn.
  const draw = (random: Rng): number =>
    (density === 'uniform' ? 1 - random.uniform() : 1 / (1 + Math.exp(-random.normal())))
  return {
    predictionType: 'flow_prediction',
    timestep: (random) => {
      const sigma = draw(random)
      return Math.fround(trainSteps * shift * sigma / (1 + (shift - 1) * sigma))
    },
    level: (timestep) => ({ signal: 1 - timestep / trainSteps, noise: timestep / trainSteps }),
  }
}

/** The process of a table of ᾱ: x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε at every timestep alike. */
function tableProcess(schedule: Schedule): ForwardProcess {
  const { predictionType, trainSteps } = schedule
  return {
    predictionType,
    timestep: (random) => random.int(trainSteps),
    level: (timestep) => trainingLevel(schedule, timestep),
  }
}

/**
 * The process that a schedule tells of: that of its table of ᾱ, or a flow's.
 * @throws {ConfigError} by name for all others. From JavaScript a schedule may also be null, as that of flow and EDM
 * solvers is
 */
export function processOf(where: string, from: Schedule | ForwardProcess | null | undefined): ForwardProcess {
  if (from && 'level' in from) return from
  const { predictionType, otherProcess, trainSteps = 0 } = from ?? {}
  if (from && predictionType === 'flow_prediction') return flowProcess({ trainSteps })
  const known: readonly unknown[] = ['epsilon', 'v_prediction', 'sample'] satisfies ModelPrediction[]
  if (from && known.includes(predictionType) && otherProcess === undefined) return tableProcess(from)
  const of = otherProcess === undefined ? '' : ` of ${otherProcess}`
  throw new ConfigError(
    `${where}: expected a schedule of a model that predicts 'epsilon', 'v_prediction' or 'sample' from ` +
      `x = √ᾱ·x₀ + √(1−ᾱ)·ε, or 'flow_prediction', got ${from ? `${String(predictionType)}${of}` : String(from)}; ` +
      'pass flowProcess() for a flow, and write the process of any other model as a ForwardProcess',
  )
}
