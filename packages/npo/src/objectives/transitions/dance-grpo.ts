import { checkOptions } from '@antipode/core/options'
import type { Condition } from '../../denoiser.ts'
import { type ModelNetwork, type PreferenceObjective, preferenceObjective } from '../objective.ts'
import {
  clippedPolicyLoss, meanOf, opposedAdvantages, type PolicyBatch, type PolicyGradientOptions, policyGradientRanges,
} from './policy-gradient.ts'

/**
 * DanceGRPO (Xue et al. 2025, arXiv 2505.07818): the clipped policy loss on steps of a flow by `flowMatchSde({
 * diffusion: 'constant', noiseLevel: 0.3 })`, with advantages by group (`groupAdvantages` of 'dance-grpo'), and no
 * divergence from a reference. Negated, advantages change sign. Metrics: `approxKl` and `clipFraction`.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: XueZeyue/DanceGRPO, train_grpo_flux.py (clip 1e-4, advantages to 5, η 0.3).
 */
export function danceGrpo<C extends Condition>(
  options: PolicyGradientOptions = {},
): PreferenceObjective<PolicyBatch<C>, ModelNetwork<C>> {
  checkOptions('danceGrpo', options, policyGradientRanges)
  const { clip = 1e-4, advantageClip = 5 } = options
  return preferenceObjective<PolicyBatch<C>, ModelNetwork<C>>({
    name: 'dance-grpo',
    evaluate: ({ model }, batch) =>
      clippedPolicyLoss(meanOf('danceGrpo', model, batch), batch, { clip, advantageClip }),
    reversed: opposedAdvantages,
  })
}
