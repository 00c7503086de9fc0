import type { Tensor } from '@antipode/core'
import { checkOptions, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import { checkEach, weighed } from './errors.ts'
import { type PreferenceObjective, preferenceObjective, type ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { referredPairs } from './referred-pairs.ts'

/** Pairs whose samples have calibrated rewards: see {@link calibratedRewards}. */
export interface CalibratedBatch<C extends Condition> extends PairBatch<C> {
  /** Rc of the chosen samples, the probability of beating others of the same prompt, `[B]` in [0, 1]. */
  readonly chosenReward: Tensor
  /** Rc of the rejected samples, `[B]` in [0, 1]. */
  readonly rejectedReward: Tensor
}

/** Options of {@link capo}. */
export interface CapoOptions {
  /** β, positive and finite: differences of errors are multiplied by it to be differences of rewards. */
  readonly beta: number
}

/**
 * Calibrated preference optimisation (Lee et al. 2025, arXiv 2502.02588): the difference of a pair's errors is to be
 * the difference of its calibrated rewards, `mean (Rc(chosen) − Rc(rejected) − β·(D_ref − D))²`, D and m as in
 * {@link diffusionDpo}. Negated, Rc becomes 1 − Rc: swapping both samples and rewards would change nothing. Weights of
 * the draw multiply each pair's loss (the paper's are {@link sigmoidSnr}). It starts at the mean squared difference of
 * rewards. Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function capo<C extends Condition>(
  options: CapoOptions,
): PreferenceObjective<CalibratedBatch<C>, ReferredNetworks<C>> {
  checkOptions('capo', options, { beta: required(positive) })
  const { beta } = options
  return preferenceObjective<CalibratedBatch<C>, ReferredNetworks<C>>({
    name: 'capo',
    evaluate(networks, batch) {
      const { weights, chosenReward, rejectedReward, ...pairs } = batch
      const { logit, metrics } = referredPairs('capo', networks, pairs)
      checkEach('capo', pairs.chosen.shape[0] ?? 0, { chosenReward, rejectedReward })
      const residual = chosenReward.sub(rejectedReward).sub(logit.mul(beta)).square()
      return { loss: weighed('capo', residual, weights).mean(), metrics }
    },
    reversed: (batch) => ({
      ...batch, chosenReward: batch.chosenReward.neg().add(1), rejectedReward: batch.rejectedReward.neg().add(1),
    }),
  })
}
