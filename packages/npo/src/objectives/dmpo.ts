import { logSigmoid } from '@antipode/core'
import { between, checkOptions, positive } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { logitObjective } from './referred-pairs.ts'

/** Options of {@link dmpo}. */
export interface DmpoOptions {
  /** β as {@link diffusionDpo} has it, positive and finite; 2000 by default. */
  readonly beta?: number
  /** α, the share of pairs that are to be ranked wrong, in [1e-6, 0.5]; 0.01 by default. */
  readonly alpha?: number
}

/**
 * Divergence minimisation preference optimisation (arXiv 2507.07510): the *reverse* divergence between the model's
 * ranking and the data's, `mean KL(Bern(p) ‖ Bern(1 − α))` with `p = σ(½·β·(D_ref − D))`, D and m as in
 * {@link diffusionDpo}. It is 0 where σ of the margin is 1 − α, so that margins stay finite; it starts at `−ln 2 −
 * ½·ln(α·(1 − α))`. Weights of the draw multiply all four errors of a pair. Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the form: AIDC-AI/Diffusion-SDPO, train.py.
 */
export function dmpo<C extends Condition>(
  options: DmpoOptions = {},
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkOptions('dmpo', options, { beta: positive, alpha: between(1e-6, 0.5) })
  const { beta = 2000, alpha = 0.01 } = options
  return logitObjective('dmpo', (logit) => {
    const z = logit.mul(beta / 2)
    const [right, wrong] = [logSigmoid(z), logSigmoid(z.neg())] // log p, log(1 − p)
    const p = z.sigmoid()
    return p.mul(right.sub(Math.log1p(-alpha))).add(p.neg().add(1).mul(wrong.sub(Math.log(alpha))))
  })
}
