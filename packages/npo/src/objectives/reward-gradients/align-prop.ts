import { checkArgument, whole } from '@antipode/core/options'
import type { Rng } from '@antipode/core/random'
import type { Condition } from '../../denoiser.ts'
import type { ModelNetwork, PreferenceObjective } from '../objective.ts'
import { draft } from './draft.ts'
import type { RewardGradientOptions, RolloutBatch } from './graded-run.ts'

/**
 * AlignProp (Prabhudesai et al. 2023, arXiv 2310.03739): {@link draft} through a number of steps that is drawn anew for
 * each batch, {@link randomTruncation}, so that early steps learn too at less than the cost of whole runs. Cut at call
 * S − 1 of S it is DRaFT-1. Negation and metrics as those of `draft`.
 * @throws {ConfigError} if an option is unknown or missing
 */
export function alignProp<C extends Condition>(
  options: RewardGradientOptions<C>,
): PreferenceObjective<RolloutBatch<C>, ModelNetwork<C>> {
  const { evaluate, negated } = draft(options)
  return { name: 'alignprop', evaluate, negated: () => ({ ...negated(), name: 'negated alignprop', negated: () => alignProp(options) }) }
}

/**
 * How many calls of a run of S are differentiated: 1 to S alike, drawn for each batch. For `graded` of
 * `rewardRollouts`.
 * @throws {ConfigError} unless S is whole, 1 or more
 * Source: mihirp1998/AlignProp, truncated_backprop_rand with its cut drawn from U{0 … S − 1}.
 */
export function randomTruncation(calls: number): (random: Rng) => number {
  checkArgument('randomTruncation', 'calls', calls, whole(1))
  return (random) => 1 + random.int(calls)
}
