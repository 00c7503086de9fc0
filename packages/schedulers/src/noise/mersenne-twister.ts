/** Words of 32 bits that the generator keeps. */
export const size = 624
const middle = 397

/** The 624 words of MT19937 after the standard initialisation of 2002 from the low 32 bits of a seed. */
export function seededWords(seed: number): Uint32Array {
  const words = new Uint32Array(size)
  words[0] = seed
  for (let i = 1; i < size; i++) {
    const before = words[i - 1]!
    words[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
  }
  return words
}

/** Makes the next 624 words of the 624 before, in place. */
function twist(words: Uint32Array): void {
  for (let i = 0; i < size; i++) {
    const joined = (words[i]! & 0x80000000) | (words[(i + 1) % size]! & 0x7fffffff)
    words[i] = words[(i + middle) % size]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0)
  }
}

/**
 * The generator at a position within its words, which it changes in place.
 *
 * Source: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998.
 */
export interface MersenneTwister {
  /** The next unsigned 32-bit word. */
  next(): number
  /** How many of the present 624 words are used. */
  used(): number
}

/** @param start how many of the words are used, 0 … 624 */
export function mersenneTwister(words: Uint32Array, start: number): MersenneTwister {
  let used = start
  return {
    next() {
      if (used === size) {
        twist(words)
        used = 0
      }
      let word = words[used++]!
      word ^= word >>> 11
      word ^= (word << 7) & 0x9d2c5680
      word ^= (word << 15) & 0xefc60000
      return (word ^ (word >>> 18)) >>> 0
    },
    used: () => used,
  }
}
