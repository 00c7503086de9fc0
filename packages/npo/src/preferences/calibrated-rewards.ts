import { ConfigError } from '@antipode/core'
import { checkOptions, required, whole } from '@antipode/core/options'
import { groupsOf, type RankedPair } from './ranked-pairs.ts'

/** Options of {@link calibratedRewards} and {@link paretoPairs}. */
export interface CandidateOptions {
  /** n, samples of each prompt, whole, 2 or more. */
  readonly candidates: number
}

/**
 * Rc of each sample, how often it is expected to win against the others of its prompt: `Rc_i = mean over j ≠ i of σ(R_i −
 * R_j)`, in (0, 1). Rewards of any unit become comparable; divide them by a temperature first where a difference of 1
 * means something else than e : 1.
 * @param rewards samples of a prompt one after the other
 * @throws {ConfigError} if an option is unknown or outside its range, or there are not n rewards for each prompt
 * @throws {NumericError} if a reward is not finite
 * Source: Lee et al. 2025, CaPO, arXiv 2502.02588.
 */
export function calibratedRewards(rewards: ArrayLike<number>, options: CandidateOptions): Float64Array {
  checkOptions('calibratedRewards', options, { candidates: required(whole(2)) })
  const { candidates } = options
  const wins = groupsOf('calibratedRewards', rewards, candidates).flatMap((group) => group.map((own, i) => {
    const others = group.filter((_, j) => j !== i)
    return others.reduce((sum, other) => sum + 1 / (1 + Math.exp(other - own)), 0) / others.length
  }))
  return Float64Array.from(wins)
}

/**
 * Pairs by several rewards at once: of each prompt's samples, each that no other one beats in everything with each that
 * beats no other one in everything, unless a sample is both, or the two are not ranked. To beat is to be as good in all
 * rewards and better in one.
 * @param rewards by kind: each has samples of a prompt one after the other
 * @throws {ConfigError} if an option is unknown or outside its range, or kinds have other counts of rewards
 * @throws {NumericError} if a reward is not finite
 * Source: the Pareto frontiers of CaPO, arXiv 2502.02588, of which pairs are drawn there; draw from these.
 */
export function paretoPairs(rewards: Readonly<Record<string, ArrayLike<number>>>, options: CandidateOptions): RankedPair[] {
  checkOptions('paretoPairs', options, { candidates: required(whole(2)) })
  const { candidates } = options
  const kinds = Object.entries(rewards).map(([name, r]) => groupsOf(`paretoPairs: ${name}`, r, candidates))
  const [{ length } = []] = kinds
  if (!length || kinds.some((groups) => groups.length !== length)) {
    const got = kinds.map((groups) => groups.length).join(', ')
    throw new ConfigError(`paretoPairs: expected as many prompts for each kind of reward, got ${got || 'no kinds'}`)
  }
  return Array.from({ length }, (_, g) => {
    const beats = (a: number, b: number): boolean => {
      const gaps = kinds.map((groups) => groups[g]![a]! - groups[g]![b]!)
      return gaps.every((gap) => gap >= 0) && gaps.some((gap) => gap > 0)
    }
    const all = Array.from({ length: candidates }, (_, i) => i)
    const top = all.filter((i) => !all.some((other) => beats(other, i)))
    const bottom = all.filter((i) => !all.some((other) => beats(i, other)))
    return top.flatMap((chosen) => bottom.filter((rejected) => beats(chosen, rejected)).map((rejected) => (
      { chosen: g * candidates + chosen, rejected: g * candidates + rejected }
    )))
  }).flat()
}
