import { checkArgument } from '@antipode/core/options'
import { aFactor } from './factor.ts'

/** How much of each named offset a branch carries: weights of adapter sets on one base. */
export type OffsetWeights = Readonly<Record<string, number>>

/**
 * Weights of named offsets for one branch: `unet.with(offsets({ dpo: α, npo: β }))` is θ + α·η + β·δ. Offsets of weight 0
 * are left out, so that `offsets({})` and `offsets({ dpo: 0 })` are both exactly the base.
 * Every mixture that Diffusion-NPO released is one of these; its `merge_weight` is 1 − α (arXiv 2505.11245).
 * @throws {ConfigError} if a weight is not finite in f32
 */
export function offsets(weights: OffsetWeights): OffsetWeights {
  for (const [name, w] of Object.entries(weights)) checkArgument('offsets', `the weight of "${name}"`, w, aFactor)
  return Object.fromEntries(Object.entries(weights).filter(([, w]) => w !== 0))
}
