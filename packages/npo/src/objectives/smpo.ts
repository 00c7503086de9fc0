import { logSigmoid, type Tensor } from '@antipode/core'
import { checkOptions, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import { checkEach } from './errors.ts'
import { type PreferenceObjective, preferenceObjective, type ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { referredPairs } from './referred-pairs.ts'

/** Pairs of which one sample is preferred by some of those asked. */
export interface SoftPairBatch<C extends Condition> extends PairBatch<C> {
  /** Probability that the chosen sample is preferred, `[B]` in [0, 1]: see {@link pickScorePreference}. */
  readonly probability: Tensor
}

/** Options of {@link smpo}. */
export interface SmpoOptions {
  /** β as {@link diffusionDpo} has it, positive and finite, at p = 0.55: 2000 for SD1.5, 5000 for SDXL. */
  readonly beta: number
}

/**
 * Smoothed preference optimisation (SmPO-Diffusion): Diffusion-DPO whose β grows with how sure the preference is, `mean
 * −log σ(5·β·(2p − 1)·(D_ref − D))`, D and m as in {@link diffusionDpo}. Pairs of p = ½ have no slope and those below
 * are reversed; negated, p becomes 1 − p. It starts at ln 2. Weights of the draw multiply all four errors of a pair.
 * Metrics are those of {@link ReferredPairs}. The released code inverts its pairs: see {@link invertedPairs}, with 5
 * steps.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: JaydenLyh/SmPO, train.py, which takes the first p of a batch for all of it, as its batches are of one pair.
 */
export function smpo<C extends Condition>(
  options: SmpoOptions,
): PreferenceObjective<SoftPairBatch<C>, ReferredNetworks<C>> {
  checkOptions('smpo', options, { beta: required(positive) })
  const { beta } = options
  return preferenceObjective<SoftPairBatch<C>, ReferredNetworks<C>>({
    name: 'smpo',
    evaluate(networks, batch) {
      const { logit, metrics } = referredPairs('smpo', networks, batch)
      const { probability } = batch
      checkEach('smpo', batch.chosen.shape[0] ?? 0, { probability })
      const sureness = probability.mul(2).sub(1)
      return { loss: logSigmoid(logit.mul(5 * beta).mul(sureness)).mean().neg(), metrics }
    },
    reversed: (batch) => ({ ...batch, probability: batch.probability.neg().add(1) }),
  })
}

/** Smallest and largest PickScore (a cosine) of SmPO's training data: JaydenLyh/SmPO, train.py. */
const pickScores = { low: 0.11543526500463486, high: 0.28201571106910706 } as const

/**
 * The probability by which SmPO prefers the first of two samples: a softmax of their PickScores, scaled by the range of
 * those of its training data.
 * @param first cosines, without PickScore's logit scale, as numbers of a batch `[B]`
 */
export function pickScorePreference(first: Tensor, second: Tensor): Tensor {
  return first.sub(second).div(pickScores.high - pickScores.low).sigmoid()
}
