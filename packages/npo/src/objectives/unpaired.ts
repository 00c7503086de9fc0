import { concat, constant } from '@antipode/core'
import { type Condition, joinConditions } from '../denoiser.ts'
import type { LabelledBatch } from './diffusion-kto.ts'
import { checkSamples } from './errors.ts'
import type { PreferenceObjective } from './objective.ts'
import type { PairBatch } from './pairs.ts'

/** Both samples of each pair on their own, the chosen ones liked and the rejected ones not: 2B samples. */
export function labelled<C extends Condition>(batch: PairBatch<C>): LabelledBatch<C> {
  const { chosen, rejected, noise, rejectedNoise = noise, timesteps, alpha, sigma, weights, condition, ...rest } = batch
  checkSamples('labelled', chosen, { rejected, noise, 'noise of the rejected ones': rejectedNoise })
  const count = chosen.shape[0] ?? 0
  return {
    ...rest, samples: concat([chosen, rejected]), noise: concat([noise, rejectedNoise]),
    timesteps: concat([timesteps, timesteps]), alpha: concat([alpha, alpha]), sigma: concat([sigma, sigma]),
    condition: joinConditions(condition, condition),
    labels: constant(chosen.device, Array.from({ length: 2 * count }, (_, i) => (i < count ? 1 : 0))),
    ...(weights ? { weights: concat([weights, weights]) } : {}),
  }
}

/** An objective on labelled samples as one on pairs; its negation is that of the objective. */
export function unpaired<C extends Condition, Networks extends object>(
  objective: PreferenceObjective<LabelledBatch<C>, Networks>,
): PreferenceObjective<PairBatch<C>, Networks> {
  return {
    name: objective.name,
    evaluate: (networks, batch) => objective.evaluate(networks, labelled(batch)),
    negated: () => unpaired(objective.negated()),
  }
}
