import { logSigmoid, stopGradient } from '@antipode/core'
import { checkOptions, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import { type PairBatch, type PairErrors, pairErrors, pairObjective, rankedRight } from './pairs.ts'

/** Options of {@link diffusionDpo}. */
export interface DiffusionDpoOptions {
  /**
   * Strength of the pull to the reference, positive and finite, in the unit of the paper's released code: the logit is
   * `−(β/2)·(D − D_ref)` with D a difference of *mean* squared errors. 2000–5000 for latent models. Scripts that leave
   * the ½ out (diffusers' LoRA script for SD1.5, Diffusion-NPO's `train_sd15.py`) mean half as much: their 500 is 1000
   * here.
   */
  readonly beta: number
}

/**
 * Diffusion-DPO (Wallace et al. 2023, arXiv 2311.12908, eq. 14): with m(x) the mean squared error of predicting the
 * noise in x, `D = m(chosen) − m(rejected)` of the model and `D_ref` of the reference, the loss is `mean −log
 * σ(−(β/2)·(D − D_ref))`. One timestep and one noise are shared by both images and both networks. Models of v, x₀ or a
 * flow's ε − x₀ are compared by their errors of that, and weights of the draw multiply all four errors of a pair. All
 * is computed in f32 from the predictions on.
 *
 * Metrics, without weights: `accuracy` (share of pairs ranked right, ties ½; pairs whose margin is rounding are ties),
 * `error` (mean m of the model: above about 1.2 the model has collapsed, whatever the accuracy says) and
 * `referenceError`.
 * @throws {ConfigError} unless β is positive and finite
 */
export function diffusionDpo<C extends Condition>(
  options: DiffusionDpoOptions,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkOptions('diffusionDpo', options, { beta: required(positive) })
  const { beta } = options
  return pairObjective('diffusion-dpo', ({ model, reference }, batch) => {
    const own = pairErrors(model, batch)
    const frozen = stopped(pairErrors(reference, batch))
    const margin = own.chosen.sub(own.rejected).sub(frozen.chosen.sub(frozen.rejected))
    const logit = (batch.weights ? margin.mul(batch.weights) : margin).mul(-beta / 2)
    const { chosen, rejected } = stopped(own)
    const sum = chosen.add(rejected).add(frozen.chosen).add(frozen.rejected)
    return {
      loss: logSigmoid(logit).mean().neg(),
      metrics: {
        accuracy: rankedRight(stopGradient(margin), sum).mean(),
        error: chosen.add(rejected).mul(0.5).mean(),
        referenceError: frozen.chosen.add(frozen.rejected).mul(0.5).mean(),
      },
    }
  })
}

function stopped({ chosen, rejected }: PairErrors): PairErrors {
  return { chosen: stopGradient(chosen), rejected: stopGradient(rejected) }
}
