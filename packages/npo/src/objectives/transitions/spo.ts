import { logSigmoid } from '@antipode/core'
import { below, checkOptions, positive, type Ranges } from '@antipode/core/options'
import type { Condition } from '../../denoiser.ts'
import { type PreferenceObjective, preferenceObjective, type ReferredNetworks } from '../objective.ts'
import { clampedLogRatios, type StepPairBatch, swapSteps } from './step-pairs.ts'

/** Options of {@link spo}. */
export interface SpoOptions {
  /** Strength of the preference, positive and finite; 10 by default, and 500 for {@link lpo}. */
  readonly beta?: number
  /** ε in (0, 1), the band that ratios are held to; 0.1 by default. */
  readonly clip?: number
}

/**
 * Step-aware preference optimisation (Liang et al. 2024, arXiv 2406.04314): with r the ratio of a step's probability
 * under the model and the reference, held to [1 − ε, 1 + ε], the loss is `mean −log σ(β·(ln r(chosen) − ln
 * r(rejected)))`. Both steps start from one sample; {@link branchingPairs} makes them. Negated, the rejected steps are
 * preferred. With the defaults the logit lies within 10·ln(1.1/0.9) = 2.007 of 0.
 *
 * Metrics: `accuracy` (share of pairs ranked right, ties ½) and the shares of sides outside of the band,
 * `chosenAbove`, `chosenBelow`, `rejectedAbove` and `rejectedBelow`: those of `chosenBelow` and `rejectedAbove` went
 * the wrong way and are not pulled back.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: RockeyCoss/SPO, train_spo.py.
 */
export function spo<C extends Condition>(
  options: SpoOptions = {},
): PreferenceObjective<StepPairBatch<C>, ReferredNetworks<C>> {
  checkOptions('spo', options, spoRanges)
  return stepPreference('spo', { beta: 10, clip: 0.1, ...options })
}

export const spoRanges: Ranges<SpoOptions> = { beta: positive, clip: below(0, 1) }

export function stepPreference<C extends Condition>(
  name: string, { beta, clip }: Required<SpoOptions>,
): PreferenceObjective<StepPairBatch<C>, ReferredNetworks<C>> {
  return preferenceObjective<StepPairBatch<C>, ReferredNetworks<C>>({
    name,
    evaluate(networks, batch) {
      const { chosen, rejected, metrics } = clampedLogRatios(name, networks, batch, clip)
      return { loss: logSigmoid(chosen.sub(rejected).mul(beta)).mean().neg(), metrics }
    },
    reversed: swapSteps,
  })
}
