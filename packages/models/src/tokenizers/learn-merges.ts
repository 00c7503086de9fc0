import { PairQueue } from './pair-queue.ts'

/** A word as the ids of its tokens, and how often it is there. */
export interface CountedWord {
  readonly ids: readonly number[]
  readonly count: number
}

/** Tokens by their ids, and the pairs that some are made of, the first to merge first. */
export interface LearnedMerges {
  readonly tokens: readonly string[]
  readonly merges: readonly (readonly [string, string])[]
}

/** Options of {@link learnMerges}. */
export interface LearnMergesOptions {
  /** How many tokens there may be. */
  readonly size: number
  /** How often a pair must be there to be merged. */
  readonly minFrequency: number
}

/** A pair of ids as one number, in the order of pairs. */
const base = 2 ** 26
const keyOf = (a: number, b: number): number => a * base + b

/**
 * Byte-pair encoding: merges the most frequent pair of neighbours everywhere, again and again. Of pairs that are
 * equally frequent, that of the lower first id comes first, then that of the lower second. A text that two pairs give
 * is one token. Only words that have the pair are looked at again.
 *
 * Sources: Sennrich et al. 2016, arXiv 1508.07909, algorithm 1; the order of ties as `BpeTrainer` of Hugging Face's
 * tokenizers has it.
 */
export function learnMerges(
  alphabet: readonly string[], counted: readonly CountedWord[], { size, minFrequency }: LearnMergesOptions,
): LearnedMerges {
  const tokens = [...alphabet]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const words = counted.map((word) => ({ ...word }))
  const queue = new PairQueue()
  /** By pair, the words that have it, or had it. */
  const places = new Map<number, Set<number>>()
  const changes = new Map<number, number>()
  const change = (word: number, by: number): void => {
    const { ids: own } = words[word]!
    for (let i = 1; i < own.length; i++) {
      const key = keyOf(own[i - 1]!, own[i]!)
      changes.set(key, (changes.get(key) ?? 0) + by)
      if (by < 0) continue
      const at = places.get(key)
      if (at) at.add(word)
      else places.set(key, new Set([word]))
    }
  }
  const settle = (): void => {
    for (const [key, by] of changes) queue.change(key, by)
    changes.clear()
  }
  for (const [word, { count }] of words.entries()) change(word, count)
  settle()

  const merges: (readonly [string, string])[] = []
  while (tokens.length < size) {
    const key = queue.take(minFrequency)
    if (key === undefined) break
    const [a, b] = [Math.floor(key / base), key % base]
    const [first, second] = [tokens[a]!, tokens[b]!]
    const merged = first + second
    const id = ids.get(merged) ?? tokens.push(merged) - 1
    ids.set(merged, id)
    merges.push([first, second])
    const touched = places.get(key) ?? []
    places.delete(key)
    for (const word of touched) {
      const own = words[word]!
      change(word, -own.count)
      words[word] = { ...own, ids: mergedWord(own.ids, a, b, id) }
      change(word, own.count)
    }
    settle()
  }
  return { tokens, merges }
}

/** A word whose pairs (a, b), from the left, are one token. */
function mergedWord(ids: readonly number[], a: number, b: number, merged: number): number[] {
  const made: number[] = []
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === a && ids[i + 1] === b) {
      made.push(merged)
      i++
    } else made.push(ids[i]!)
  }
  return made
}
