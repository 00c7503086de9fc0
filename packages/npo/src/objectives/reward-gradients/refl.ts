import type { Condition } from '../../denoiser.ts'
import type { ModelNetwork, PreferenceObjective } from '../objective.ts'
import {
  checkRewardGradient, gradedStep, type RewardGradientOptions, rewarded, rewardObjective, type RolloutBatch,
} from './graded-run.ts'

/**
 * Reward feedback learning (Xu et al. 2023, arXiv 2304.05977, algorithm 1): the gradient of a reward goes back through
 * one prediction of x₀ in the middle of a run, `10⁻³·mean relu(2 − R(x̂₀))` unless another loss is given, for rewards
 * near unit normal such as ImageReward's. No chain of steps is differentiated. Released runs of 40 steps stop before
 * one of the last ten: `rewardRollouts({ graded: (random) => 1 + random.int(10) })`; the calls after the first that
 * is left are not made.
 *
 * Negated, the reward changes sign before the loss. relu(2 − R) is not linear: where −R is above 2 there is no gradient,
 * so that samples that are bad enough are left alone.
 *
 * The metric `reward` is the mean reward of the predictions, of its own sign.
 * @throws {ConfigError} if an option is unknown or missing
 * Source of the constants: THUDM/ImageReward, ReFL.py.
 */
export function refl<C extends Condition>(
  options: RewardGradientOptions<C>,
): PreferenceObjective<RolloutBatch<C>, ModelNetwork<C>> {
  checkRewardGradient('refl', options)
  const filled: RewardGradientOptions<C> = { loss: (rewards) => rewards.neg().add(2).relu().mul(1e-3), ...options }
  return rewardObjective('refl', (model, { state, condition, noises }, sign) => {
    const { x0 } = gradedStep(model, state, condition, noises[0], filled)
    return rewarded(x0, condition, sign, filled)
  })
}
