import { logSigmoid } from '@antipode/core'
import { between, checkOptions, positive, type Range, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { logitObjective } from './referred-pairs.ts'

/** Options of {@link diffusionDpo}. */
export interface DiffusionDpoOptions {
  /**
   * β, strength of the pull to the reference, positive and finite: 2000–5000 for latent models, whose errors are *means*
   * over elements.
   */
  readonly beta: number
  /**
   * What β is multiplied by. ½, the default: the paper's released code, diffusers' script for SDXL, Diffusion-NPO's
   * `train_sdxl.py`. 1: diffusers' LoRA script for SD1.5 and Diffusion-NPO's `train_sd15.py`, whose β of 500 is 1000
   * under ½.
   */
  readonly factor?: 0.5 | 1
  /**
   * Probability that a pair is labelled the wrong way round, in [0, 1]; 0 by default. With 1 it is the negated
   * objective.
   */
  readonly labelSmoothing?: number
}

/** The two conventions of the field for what β is multiplied by. */
const factors: Range = { expected: '0.5 or 1', accepts: (v) => v === 0.5 || v === 1 }

/**
 * Diffusion-DPO (Wallace et al. 2023, arXiv 2311.12908, eq. 14): with m(x) the mean squared error of predicting the
 * noise in x, `D = m(chosen) − m(rejected)` of the model and `D_ref` of the reference, the loss is `mean −log σ(z)` with
 * `z = ½·β·(D_ref − D)`; smoothed by s, `−(1 − s)·log σ(z) − s·log σ(−z)` (Mitchell 2023, "A note on DPO with noisy
 * preferences"). Models of v, x₀ or a flow's ε − x₀ are compared by their errors of that. Weights of the draw multiply
 * all four errors of a pair. It starts at ln 2. Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function diffusionDpo<C extends Condition>(
  options: DiffusionDpoOptions,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  const smoothing = between(0, 1)
  checkOptions('diffusionDpo', options, { beta: required(positive), factor: factors, labelSmoothing: smoothing })
  const { beta, factor = 0.5, labelSmoothing = 0 } = options
  return logitObjective('diffusion-dpo', (logit) => {
    const z = logit.mul(factor * beta)
    const right = logSigmoid(z).neg()
    if (labelSmoothing === 0) return right
    return right.mul(1 - labelSmoothing).sub(logSigmoid(z.neg()).mul(labelSmoothing))
  })
}
