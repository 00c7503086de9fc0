import { SchedulerError } from './errors.ts'
import { choice, optionalNumber, resolve, type Fields } from './fields.ts'
import { combine } from './linear.ts'
import { cleanSample } from './prediction.ts'
import { advance, begin, checkSolver, checkState, mix, velocity } from './run.ts'
import { scheduleFields, scheduleOf, sigmaAt, sigmaTable, type NoiseLevel } from './schedule.ts'
import type { PredictionType, SamplingPlan, Scheduler, SchedulerState, SolverConfig, Steps } from './scheduler.ts'
import { checkAtMostOne, curvedSigmas, sigmaFields, timestepFinder, type SigmaConfig } from './sigmas.ts'
import { checkCount, checkTimesteps, spacedTimesteps, spacingFields, type SpacingConfig } from './spacing.ts'

/** The options of {@link euler}, with the defaults of diffusers' EulerDiscreteScheduler. */
export interface EulerConfig extends SolverConfig, SpacingConfig, SigmaConfig {
  readonly predictionType: PredictionType
  /** Ends of a curve of noise levels; null for those of the spaced timesteps. */
  readonly sigmaMin: number | null
  readonly sigmaMax: number | null
  /** 'continuous' tells a v-prediction model ¼·ln σ instead of a training timestep (as SVD wants). */
  readonly timestepType: 'discrete' | 'continuous'
  /** Whether the last step ends at σ = 0 or at the table's first σ. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
  readonly interpolationType: 'linear'
}

/** The options of {@link euler}. */
export const eulerFields: Fields<EulerConfig> = {
  ...scheduleFields,
  ...spacingFields('linspace'),
  ...sigmaFields,
  predictionType: choice('prediction_type', 'epsilon', ['epsilon', 'v_prediction', 'sample']),
  sigmaMin: optionalNumber('sigma_min'),
  sigmaMax: optionalNumber('sigma_max'),
  timestepType: choice('timestep_type', 'discrete', ['discrete', 'continuous']),
  finalSigmasType: choice('final_sigmas_type', 'zero', ['zero', 'sigma_min']),
  interpolationType: choice('interpolation_type', 'linear', ['linear']),
}

// The smallest ᾱ that keeps σ finite: float16's smallest subnormal, σ = 4096.
const zeroSnrAlphaBar = 2 ** -24

/**
 * Euler's method on dx/dσ = ε, for samples x = x₀ + σ·ε: they start with the standard deviation `initNoiseSigma(plan)`
 * and reach the model times `inputScale(state)`.
 * @throws {ConfigError} on an unknown option or value
 * Source: Karras et al., arXiv 2206.00364, algorithm 1.
 */
export function euler(options: Partial<EulerConfig> = {}): Scheduler<EulerConfig> {
  const config = resolve('euler', eulerFields, options)
  const { useKarrasSigmas, useExponentialSigmas, useBetaSigmas } = config
  checkAtMostOne('euler', { useKarrasSigmas, useExponentialSigmas, useBetaSigmas })
  const schedule = scheduleOf(config, zeroSnrAlphaBar)
  const table = sigmaTable('euler', schedule)
  const timestepAt = timestepFinder(table)
  const continuous = config.timestepType === 'continuous' && config.predictionType === 'v_prediction'
  const fixedTimesteps = continuous || useKarrasSigmas || useExponentialSigmas || useBetaSigmas

  const timesteps = (steps: Steps): SamplingPlan => {
    const spaced = typeof steps === 'number' ? spacedBy(steps) : chosenBy(steps.timesteps)
    const levels = spaced.map((timestep) => sigmaAt(table, timestep))
    const curved = curvedSigmas(config, config.sigmaMax ?? levels[0]!, config.sigmaMin ?? levels.at(-1)!, spaced.length)
    const sigmas = Float32Array.from([...(curved ?? levels), config.finalSigmasType === 'zero' ? 0 : table[0]!])
    const told = continuous
      ? Array.from(sigmas.subarray(0, -1), (sigma) => 0.25 * Math.fround(Math.log(sigma)))
      : (curved?.map(timestepAt) ?? spaced)
    return { solver: 'euler', timesteps: told.map(Math.fround), sigmas: Array.from(sigmas) }
  }
  const spacedBy = (count: number): number[] => {
    checkCount('euler', count, schedule.trainSteps)
    return spacedTimesteps(config, schedule.trainSteps, count).map(Math.fround)
  }
  const chosenBy = (chosen: readonly number[]): number[] => {
    if (fixedTimesteps) {
      throw new SchedulerError(
        'euler.timesteps: expected a number of steps, since this configuration makes its own timesteps, ' +
          'got a list; pass a number or turn the sigma curve or continuous timesteps off',
      )
    }
    checkTimesteps('euler', chosen, schedule.trainSteps, false)
    return [...chosen]
  }
  const sigmaOf = (state: SchedulerState<unknown>): number => {
    checkState('euler', state)
    return state.plan.sigmas![state.step]!
  }
  const level = (state: SchedulerState<unknown>): NoiseLevel => ({ signal: 1, noise: sigmaOf(state) })
  const levelAt = (timestep: number): NoiseLevel => ({
    signal: 1,
    noise: continuous ? Math.exp(4 * timestep) : sigmaAt(table, timestep),
  })

  return Object.freeze<Scheduler<EulerConfig>>({
    name: 'euler',
    config,
    schedule,
    timesteps,
    begin: (steps, startAt = 0) => begin('euler', timesteps, steps, startAt),
    inputScale: (state) => 1 / Math.hypot(sigmaOf(state), 1),
    level,
    needsNoise(state) {
      checkState('euler', state)
      return false
    },
    step(linear, state, prediction, sample, _noise, hooks) {
      const sigma = sigmaOf(state)
      const ratio = state.plan.sigmas![state.step + 1]! / sigma
      const x0 = cleanSample(linear, config, level(state), prediction, sample, hooks)
      const next = combine(linear, [
        [ratio, sample],
        [1 - ratio, x0],
      ])
      return { state: advance(state, []), sample: next, x0 }
    },
    addNoise: (linear, x0, noise, at) => mix(linear, typeof at === 'number' ? levelAt(at) : level(at), x0, noise),
    velocity: (linear, x0, noise, timestep) => velocity(linear, schedule, x0, noise, timestep),
    initNoiseSigma(plan) {
      checkSolver('euler', plan)
      const largest = Math.max(...plan.sigmas!)
      return config.timestepSpacing === 'leading' ? Math.hypot(largest, 1) : largest
    },
  })
}
