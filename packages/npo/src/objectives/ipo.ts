import { checkOptions, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { logitObjective } from './referred-pairs.ts'

/** Options of {@link ipo}. */
export interface IpoOptions {
  /** β, positive and finite: the margin aimed at is 1/(2β) in units of mean squared error. */
  readonly beta: number
}

/**
 * Identity preference optimisation (Azar et al. 2023, arXiv 2310.12036, eq. 17) on errors of denoising: `mean ((D_ref −
 * D) − 1/(2β))²` with D and m as in {@link diffusionDpo}. The margin has an end, so that pairs without noise in their
 * labels are not overfitted. It starts at 1/(4β²), where its slopes are β²/4 times smaller than Diffusion-DPO's: Adam
 * does not mind, other optimisers need another learning rate. Weights of the draw multiply all four errors of a pair.
 * Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the form: diffusers, research_projects/diffusion_dpo, `loss_type` "ipo".
 */
export function ipo<C extends Condition>(
  options: IpoOptions,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkOptions('ipo', options, { beta: required(positive) })
  const { beta } = options
  return logitObjective('ipo', (logit) => logit.sub(1 / (2 * beta)).square())
}
