import { softmax, stopGradient, type Tensor } from '@antipode/core'
import { checkOptions, oneOf, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { SampleBatch } from './denoising.ts'
import { checkEach, sampleErrors, weighed } from './errors.ts'
import { type ModelNetwork, type PreferenceObjective, preferenceObjective } from './objective.ts'

/** Samples and how good they are. */
export interface ScoredBatch<C extends Condition> extends SampleBatch<C> {
  /** Reward of each sample, `[B]`, in any unit; more is better. */
  readonly rewards: Tensor
}

/** Options of {@link rewardWeighted}. */
export interface RewardWeightedOptions {
  /** τ in units of the reward, positive and finite: near 0 the best samples alone count. */
  readonly temperature: number
  /**
   * `softmax`, the default: the weights of a batch have a mean of 1. `exponential`: `exp(R/τ)`, which compares batches
   * too, and has no bound.
   */
  readonly weighting?: 'softmax' | 'exponential'
}

/**
 * Reward-weighted regression (Peters and Schaal 2007; for diffusion Lee et al. 2023, arXiv 2302.12192): {@link denoising}
 * of samples, good ones more than bad ones, `mean w·m(x)` with `w = B·softmax(R/τ)` or `exp(R/τ)`. Negated, rewards
 * change sign. Weights of the draw multiply each sample's mean. The metric `error` is the mean m, by no weights at all.
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function rewardWeighted<C extends Condition>(
  options: RewardWeightedOptions,
): PreferenceObjective<ScoredBatch<C>, ModelNetwork<C>> {
  const weightings = oneOf('softmax', 'exponential')
  checkOptions('rewardWeighted', options, { temperature: required(positive), weighting: weightings })
  const { temperature, weighting = 'softmax' } = options
  return preferenceObjective<ScoredBatch<C>, ModelNetwork<C>>({
    name: 'reward-weighted',
    evaluate({ model }, batch) {
      const { samples, rewards, weights } = batch
      const errors = sampleErrors('rewardWeighted', model, samples, batch)
      const [count = 0] = samples.shape
      checkEach('rewardWeighted', count, { rewards })
      const scaled = rewards.div(temperature)
      const goodness = weighting === 'softmax' ? softmax(scaled).mul(count) : scaled.exp()
      const loss = weighed('rewardWeighted', errors, weights).mul(goodness).mean()
      return { loss, metrics: { error: stopGradient(errors).mean() } }
    },
    reversed: (batch) => ({ ...batch, rewards: batch.rewards.neg() }),
  })
}
