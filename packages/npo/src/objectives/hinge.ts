import { checkOptions, positive, required } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { logitObjective } from './referred-pairs.ts'

/** Options of {@link hinge}. */
export interface HingeOptions {
  /** β, positive and finite: pairs have no slope from a margin of 1/β in units of mean squared error on. */
  readonly beta: number
}

/**
 * The hinge loss on pairs (Zhao et al. 2023, SLiC-HF, arXiv 2305.10425, eq. 2) with the reference's margin as Diffusion-
 * DPO has it: `mean max(0, 1 − β·(D_ref − D))`, D and m as in {@link diffusionDpo}. Every pair that is not yet ranked
 * right by 1/β pulls alike, all others not at all. It starts at 1. Weights of the draw multiply all four errors of a
 * pair. Metrics are those of {@link ReferredPairs}.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the form: diffusers, research_projects/diffusion_dpo, `loss_type` "hinge".
 */
export function hinge<C extends Condition>(
  options: HingeOptions,
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkOptions('hinge', options, { beta: required(positive) })
  const { beta } = options
  return logitObjective('hinge', (logit) => logit.mul(-beta).add(1).relu())
}
