import { stopGradient, type Tensor, where } from '@antipode/core'
import { checkOptions, oneOf, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import { meanOfEach, squaredErrors, weighed } from './errors.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import { halves, type PairBatch, pairObjective, pairPredictions, pairTargets } from './pairs.ts'
import { referredPairs } from './referred-pairs.ts'

/** Options of {@link dspo}. */
export interface DspoOptions {
  /** β, positive and finite, of the released scripts: 0.001 for SD1.5, 5000 in the form `sdxl`. */
  readonly beta: number
  /** Which of the two losses that were released; `sd15`, which is the paper's, by default. */
  readonly form?: 'sd15' | 'sdxl'
}

/** Mean squared change of predictions from which the form `sdxl` weighs it: huaishengzhu/DSPO, train.py. */
const threshold = 0.1

/**
 * Direct score preference optimisation (Zhu et al. 2025, "DSPO: Direct Score Preference Optimization for Diffusion Model
 * Alignment"): the model fits the score of the chosen samples, moved on from the reference by how far pairs are not yet
 * ranked, `mean (e_w − β·(1 − σ(z))·(ê_w − ê_ref))²` with `e_w` the model's error on a chosen sample, ê − ê_ref its change
 * from the reference there, and z as {@link diffusionDpo} has it. As released, a gradient flows through σ(z) too.
 *
 * The form `sdxl` is another loss: `mean (1 − σ(z))²·(ê_w − ê_ref)²`, or without the last factor while the mean of that is
 * below 0.1, as it is with a young adapter. Weights of the draw multiply the errors in z and each pair's loss. It starts
 * at fine-tuning's loss, and in the form `sdxl` at ¼. Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of both forms: huaishengzhu/DSPO, train.py.
 */
export function dspo<C extends Condition>(
  options: DspoOptions,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkOptions('dspo', options, { beta: required(positive), form: oneOf('sd15', 'sdxl') })
  const { beta, form = 'sd15' } = options
  return pairObjective('dspo', (networks, batch) => {
    // Each network is asked once, and what it says is read twice.
    const own = pairPredictions(networks.model, batch)
    const frozen = stopGradient(pairPredictions(networks.reference, batch))
    const { logit, metrics } = referredPairs('dspo', { model: () => own, reference: () => frozen }, batch)
    const unsure = logit.mul(beta / 2).neg().sigmoid() // 1 − σ(z), [B]
    const [ownChosen, frozenChosen] = [halves(own.to('f32')).chosen, halves(frozen.to('f32')).chosen]
    const change = ownChosen.sub(frozenChosen) // [B, ...]
    const each = form === 'sdxl'
      ? weighedBySize(unsure.square(), meanOfEach(change.square()))
      : meanOfEach(squaredErrors('dspo', ownChosen.sub(change.mul(perSample(unsure.mul(beta), change))),
        halves(pairTargets('dspo', batch)).chosen))
    return { loss: weighed('dspo', each, batch.weights).mean(), metrics }
  })
}

/** The product where changes have grown to the threshold on average, the first factor until then; `[B]`. */
function weighedBySize(unsure: Tensor, change: Tensor): Tensor {
  return where(stopGradient(change).mean().lt(threshold), unsure, unsure.mul(change))
}

/** `[B]` beside `[B, ...]`. */
function perSample(x: Tensor, like: Tensor): Tensor {
  return x.reshape([x.size, ...like.shape.slice(1).map(() => 1)])
}
