import type { Condition } from '../../denoiser.ts'
import type { ModelNetwork, PreferenceObjective } from '../objective.ts'
import {
  checkRewardGradient, gradedEnd, type RewardGradientOptions, rewarded, rewardObjective, type RolloutBatch,
} from './graded-run.ts'

/**
 * DRaFT-K (Clark et al. 2023, arXiv 2309.17400): the gradient of a reward of samples goes back through the last K steps
 * of sampling, `mean loss(R(x₀))` with loss(R) = −R unless another is given. K is in the batch: `rewardRollouts({ graded:
 * K })` makes runs that stand K calls before their end. With as many as the run has, the gradient is that of the whole
 * run.
 *
 * Negated, the reward changes sign before the loss. For linear losses that is the gradient's mirror image; for others,
 * such as |1 − R|, it is not, and pushes without end where R has passed its aim.
 *
 * The metric `reward` is the mean reward, of its own sign.
 * @throws {ConfigError} if an option is unknown or missing
 */
export function draft<C extends Condition>(
  options: RewardGradientOptions<C>,
): PreferenceObjective<RolloutBatch<C>, ModelNetwork<C>> {
  checkRewardGradient('draft', options)
  return rewardObjective('draft', (model, batch, sign) =>
    rewarded(gradedEnd(model, batch, options), batch.condition, sign, options))
}
