import { stopGradient, type Tensor } from '@antipode/core'
import type { Condition } from '../denoiser.ts'
import { weighed } from './errors.ts'
import type { LossAndMetrics, PreferenceObjective, ReferredNetworks } from './objective.ts'
import { type PairBatch, type PairErrors, pairErrors, pairObjective, rankedRight } from './pairs.ts'

/** How a model ranks pairs beside its reference. */
export interface ReferredPairs {
  /** m of the model and of the reference for both samples of each pair, without weights; no gradient to the latter. */
  readonly own: PairErrors
  readonly frozen: PairErrors
  /**
   * `D_ref − D` of each pair with `D = m(chosen) − m(rejected)`, times the weights of the draw, `[B]` f32: above 0 where
   * the model prefers what people prefer more than its reference does. 0 where both are equal.
   */
  readonly logit: Tensor
  /**
   * Without weights: `accuracy` (share of pairs ranked right, ties ½; pairs whose margin is rounding are ties), `error`
   * (mean m of the model: above about 1.2 the model has collapsed, whatever the accuracy says) and `referenceError`.
   */
  readonly metrics: LossAndMetrics['metrics']
}

/**
 * Compares a model with its reference on pairs, in f32 from the predictions on. One timestep and one noise are shared by
 * both samples of a pair and by both networks.
 * @throws {ShapeError | ConfigError} as {@link pairErrors} does
 */
export function referredPairs<C extends Condition>(
  where: string, { model, reference }: ReferredNetworks<C>, batch: PairBatch<C>,
): ReferredPairs {
  const own = pairErrors(model, batch)
  const frozen = stopped(pairErrors(reference, batch))
  const margin = own.chosen.sub(own.rejected).sub(frozen.chosen.sub(frozen.rejected))
  const { chosen, rejected } = stopped(own)
  const sum = chosen.add(rejected).add(frozen.chosen).add(frozen.rejected)
  return {
    own, frozen, logit: weighed(where, margin, batch.weights).neg(),
    metrics: {
      accuracy: rankedRight(stopGradient(margin), sum).mean(),
      error: chosen.add(rejected).mul(0.5).mean(),
      referenceError: frozen.chosen.add(frozen.rejected).mul(0.5).mean(),
    },
  }
}

/** An objective whose loss is the mean of a function of each pair's logit; see {@link ReferredPairs}. */
export function logitObjective<C extends Condition>(
  name: string, lossOf: (logit: Tensor) => Tensor,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  return pairObjective(name, (networks, batch) => {
    const { logit, metrics } = referredPairs(name, networks, batch)
    return { loss: lossOf(logit).mean(), metrics }
  })
}

function stopped({ chosen, rejected }: PairErrors): PairErrors {
  return { chosen: stopGradient(chosen), rejected: stopGradient(rejected) }
}
