import { ConfigError } from '@antipode/core'
import { atLeast, checkOptions, oneOf, required, whole } from '@antipode/core/options'
import { checkRewards } from './scores.ts'

/** Two of some samples, by their places, of which one is preferred. */
export interface RankedPair {
  readonly chosen: number
  readonly rejected: number
}

/** Options of {@link judgedPairs}. */
export interface JudgedPairsOptions {
  /**
   * `drop`, the default: pairs that nobody prefers a side of are left out. `first`: their first sample counts as
   * preferred, as scripts for Pick-a-Pic have it, *in both directions*: DPO and NPO are then trained alike on ties.
   */
  readonly ties?: 'drop' | 'first'
}

/**
 * Pairs by judgements: 1 where the first sample was preferred, 0 for the second, ½ for a tie, as `label_0` of Pick-a-Pic.
 * @param judgements one a pair; samples 2i and 2i + 1 are pair i
 * @throws {ConfigError} if an option is unknown or outside its range, or a judgement is none
 */
export function judgedPairs(judgements: ArrayLike<number>, options: JudgedPairsOptions = {}): RankedPair[] {
  checkOptions('judgedPairs', options, { ties: oneOf('drop', 'first') })
  const { ties = 'drop' } = options
  return Array.from(judgements).flatMap((judgement, i) => {
    const [first, second] = [2 * i, 2 * i + 1]
    if (judgement === 1 || (judgement === 0.5 && ties === 'first')) return [{ chosen: first, rejected: second }]
    if (judgement === 0) return [{ chosen: second, rejected: first }]
    if (judgement === 0.5) return []
    throw new ConfigError(`judgedPairs: expected judgements of 0, 0.5 or 1, got ${judgement} for pair ${i}; leave it out`)
  })
}

/** Options of {@link bestOfN}. */
export interface BestOfNOptions {
  /** n, samples of each prompt, whole, 2 or more. */
  readonly candidates: number
  /** Gap of scores up to which best and worst are a tie, which is left out: 0 by default. */
  readonly tie?: number
}

/**
 * Of n samples of each prompt the best and the worst.
 * @param scores samples of a prompt one after the other
 * @throws {ConfigError} if an option is unknown or outside its range, or there are not n scores for each prompt
 * @throws {NumericError} if a score is not finite
 */
export function bestOfN(scores: ArrayLike<number>, options: BestOfNOptions): RankedPair[] {
  checkOptions('bestOfN', options, { candidates: required(whole(2)), tie: atLeast(0) })
  const { candidates, tie = 0 } = options
  return groupsOf('bestOfN', scores, candidates).flatMap((group, g) => {
    const [highest, lowest] = [Math.max(...group), Math.min(...group)]
    if (highest - lowest <= tie) return []
    const first = g * candidates
    return [{ chosen: first + group.indexOf(highest), rejected: first + group.indexOf(lowest) }]
  })
}

/** Scores by prompt. @throws {ConfigError} unless there are as many of each @throws {NumericError} unless finite */
export function groupsOf(where: string, scores: ArrayLike<number>, candidates: number): number[][] {
  const values = Array.from(scores)
  if (values.length === 0 || values.length % candidates !== 0) {
    throw new ConfigError(
      `${where}: expected ${candidates} scores for each prompt, got ${values.length} in all; score every sample`,
    )
  }
  checkRewards(where, values)
  return Array.from({ length: values.length / candidates }, (_, g) => values.slice(g * candidates, (g + 1) * candidates))
}
