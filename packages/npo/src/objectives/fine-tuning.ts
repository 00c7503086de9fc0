import type { Condition } from '../denoiser.ts'
import { denoising } from './denoising.ts'
import type { ModelNetwork, PreferenceObjective } from './objective.ts'
import { type PairBatch, pairObjective } from './pairs.ts'

/**
 * Supervised fine-tuning on the samples that people prefer: {@link denoising} of each pair's chosen sample, the baseline
 * of preference training. Negated, it learns the rejected ones. The metric is `error`, the mean without weights.
 */
export function fineTuning<C extends Condition>(): PreferenceObjective<PairBatch<C>, ModelNetwork<C>> {
  const plain = denoising<C>()
  return pairObjective('fine-tuning', (networks, batch) => plain.evaluate(networks, { ...batch, samples: batch.chosen }))
}
