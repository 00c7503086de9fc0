import { between, checkOptions, required } from '@antipode/core/options'
import type { Scheduler, SchedulerState } from '@antipode/schedulers'
import type { Condition } from '../../denoiser.ts'
import { type StepCoefficients, stepCoefficients } from '../../transitions/index.ts'
import type { PreferenceObjective, ReferredNetworks } from '../objective.ts'
import { type SpoOptions, spoRanges, stepPreference } from './spo.ts'
import type { StepPairBatch } from './step-pairs.ts'

/**
 * Latent preference optimisation (Zhang et al. 2025, arXiv 2502.01051): {@link spo} with β = 500, on pairs that a reward
 * of latents chose at every step, where a step's threshold is {@link lpoThreshold}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: Kwai-Kolors/LPO.
 */
export function lpo<C extends Condition>(
  options: SpoOptions = {},
): PreferenceObjective<StepPairBatch<C>, ReferredNetworks<C>> {
  checkOptions('lpo', options, spoRanges)
  return stepPreference('lpo', { beta: 500, clip: 0.1, ...options })
}

/** Options of {@link lpoThreshold}. */
export interface LpoThresholdOptions {
  /** Thresholds at the smallest and the largest deviation of the run's steps, in [0, 1]: 0.35 and 0.5 for SD 1.5. */
  readonly low: number
  readonly high: number
}

/**
 * Gap of preference, as a difference of two softmax weights in [0, 1], from which a pair of a step is kept: linear in the
 * deviation of the step's noise, from `low` to `high` over the run.
 * @returns the threshold of a step
 * @throws {ConfigError} if an option is unknown or outside its range, or the solver's steps are no normal distributions
 */
export function lpoThreshold(
  scheduler: Scheduler, first: SchedulerState<unknown>, options: LpoThresholdOptions,
): (step: Pick<StepCoefficients, 'deviation'>) => number {
  checkOptions('lpoThreshold', options, { low: required(between(0, 1)), high: required(between(0, 1)) })
  const { low, high } = options
  const all = first.plan.timesteps.map((_, step) => stepCoefficients(scheduler, { ...first, step }).deviation)
  return thresholdBetween(Math.min(...all), Math.max(...all), low, high)
}

/** A line through (from, low) and (to, high). */
export function thresholdBetween(
  from: number, to: number, low: number, high: number,
): (step: Pick<StepCoefficients, 'deviation'>) => number {
  return ({ deviation }) => low + (high - low) * (to === from ? 1 : (deviation - from) / (to - from))
}
