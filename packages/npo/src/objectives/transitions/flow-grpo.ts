import { stopGradient } from '@antipode/core'
import { atLeast, checkOptions } from '@antipode/core/options'
import type { Condition } from '../../denoiser.ts'
import { meanOfEach } from '../errors.ts'
import { type PreferenceObjective, preferenceObjective, type ReferredNetworks } from '../objective.ts'
import {
  clippedPolicyLoss, meanOf, opposedAdvantages, type PolicyBatch, type PolicyGradientOptions, policyGradientRanges,
} from './policy-gradient.ts'

/** Options of {@link flowGrpo}. */
export interface FlowGrpoOptions extends PolicyGradientOptions {
  /** Weight of the divergence from the reference, 0 or more; 0.04 by default. */
  readonly kl?: number
}

/**
 * Flow-GRPO (Liu et al. 2025, arXiv 2505.05470): the clipped policy loss on steps of a flow by `flowMatchSde()`, with
 * advantages by group (`groupAdvantages` of 'flow-grpo'), and `kl·mean (μ − μ_ref)²/(2g²)` beside it. As released, the
 * divergence is by g of the process and not by the step's deviation g·√(σ − σ'): the normal distributions' own times
 * σ − σ'. Negated, advantages change sign; the divergence stays.
 *
 * Metrics: `approxKl`, `clipFraction` and `kl`, the divergence.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: yifan123/flow_grpo, scripts/train_sd3.py (clip 1e-4, advantages to 5, β 0.04).
 */
export function flowGrpo<C extends Condition>(
  options: FlowGrpoOptions = {},
): PreferenceObjective<PolicyBatch<C>, ReferredNetworks<C>> {
  checkOptions('flowGrpo', options, { ...policyGradientRanges, kl: atLeast(0) })
  const { clip = 1e-4, advantageClip = 5, kl = 0.04 } = options
  return preferenceObjective<PolicyBatch<C>, ReferredNetworks<C>>({
    name: 'flow-grpo',
    evaluate({ model, reference }, batch) {
      const mean = meanOf('flowGrpo', model, batch)
      const { loss, metrics } = clippedPolicyLoss(mean, batch, { clip, advantageClip })
      if (kl === 0) return { loss, metrics }
      const frozen = stopGradient(meanOf('flowGrpo', reference, batch))
      const gap = mean.sub(frozen).div(batch.deviation).square()
      const divergence = meanOfEach(gap.mul(batch.elapsed)).mul(0.5).mean()
      return { loss: loss.add(divergence.mul(kl)), metrics: { ...metrics, kl: stopGradient(divergence) } }
    },
    reversed: opposedAdvantages,
  })
}
