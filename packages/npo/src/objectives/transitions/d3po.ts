import { logSigmoid, type Tensor } from '@antipode/core'
import { below, checkOptions, positive } from '@antipode/core/options'
import type { Condition } from '../../denoiser.ts'
import { type PreferenceObjective, preferenceObjective, type ReferredNetworks } from '../objective.ts'
import { clampedLogRatios, type StepPairBatch } from './step-pairs.ts'

/** Options of {@link d3po}. */
export interface D3poOptions {
  /** Strength of the preference, positive and finite; 0.1 by default. */
  readonly beta?: number
  /** ε in (0, 1), the band that ratios are held to; 0.1 by default. */
  readonly clip?: number
}

/** Steps of two runs, and which of them people prefer. */
export interface LabelledStepPairs<C extends Condition> extends StepPairBatch<C> {
  /** `[B]`: 1 where the chosen run is preferred, −1 where the rejected one is, 0 for a tie. */
  readonly preference: Tensor
}

/**
 * Direct preference for denoising diffusion policy optimisation (Yang et al. 2023, arXiv 2311.13231): the preference
 * for a run's result is a preference for each of its steps, `mean −log σ(h·β·(ln r(chosen) − ln r(rejected)))` with
 * ratios r held to [1 − ε, 1 + ε] and h the label. A tie costs ln 2 and moves nothing. Steps of two whole runs make the
 * batches. Negated, labels change sign. Metrics as those of {@link spo}, by sides and not by labels.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source of the constants: yk7333/d3po, scripts/train.py.
 */
export function d3po<C extends Condition>(
  options: D3poOptions = {},
): PreferenceObjective<LabelledStepPairs<C>, ReferredNetworks<C>> {
  checkOptions('d3po', options, { beta: positive, clip: below(0, 1) })
  const { beta = 0.1, clip = 0.1 } = options
  return preferenceObjective<LabelledStepPairs<C>, ReferredNetworks<C>>({
    name: 'd3po',
    evaluate(networks, batch) {
      const { chosen, rejected, metrics } = clampedLogRatios('d3po', networks, batch, clip)
      return { loss: logSigmoid(chosen.sub(rejected).mul(batch.preference).mul(beta)).mean().neg(), metrics }
    },
    reversed: (batch) => ({ ...batch, preference: batch.preference.neg() }),
  })
}
