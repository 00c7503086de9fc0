import { checkOptions } from '@antipode/core/options'
import type { Condition } from '../../denoiser.ts'
import { type ModelNetwork, type PreferenceObjective, preferenceObjective } from '../objective.ts'
import {
  clippedPolicyLoss, meanOf, opposedAdvantages, type PolicyBatch, type PolicyGradientOptions, policyGradientRanges,
} from './policy-gradient.ts'

/**
 * Denoising diffusion policy optimisation (Black et al. 2023, arXiv 2305.13301): the clipped policy loss on all steps
 * of runs by DDIM with η = 1, with advantages by prompt, such as {@link promptStatistics} makes. Negated, advantages
 * change sign. Metrics: `approxKl` and `clipFraction`.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: kvablack/ddpo-pytorch, scripts/train.py (clip 1e-4, advantages to 5; 50 steps, guidance 5).
 */
export function ddpo<C extends Condition>(
  options: PolicyGradientOptions = {},
): PreferenceObjective<PolicyBatch<C>, ModelNetwork<C>> {
  checkOptions('ddpo', options, policyGradientRanges)
  const { clip = 1e-4, advantageClip = 5 } = options
  return preferenceObjective<PolicyBatch<C>, ModelNetwork<C>>({
    name: 'ddpo',
    evaluate: ({ model }, batch) =>
      clippedPolicyLoss(meanOf('ddpo', model, batch), batch, { clip, advantageClip }),
    reversed: opposedAdvantages,
  })
}
