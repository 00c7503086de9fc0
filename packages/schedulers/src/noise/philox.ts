import { integer, resolve } from '../config/index.ts'
import { refuse, show } from '../errors.ts'
import { checkedCount, checkedSeed, type NoiseStream } from './stream.ts'

/** Options of {@link philox}. */
export interface PhiloxOptions {
  /** Which stream of the seed, whole, in [0, 2^32); 0 by default. */
  readonly stream?: number
}

/** Where a {@link philox} stream stands. */
export interface PhiloxState {
  /** How many values have been drawn. */
  readonly drawn: number
}

/**
 * Counter-based noise: value i of a seed and stream is the same however the draws are cut, and equals that of
 * `philoxNormal` of @antipode/core, so a host and a GPU make one run.
 *
 * Four words of block ⌊i/4⌋ make four values by Box–Muller on consecutive pairs of 24-bit uniforms, in float64 and
 * rounded once; |value| ≤ √(48·ln 2) ≈ 5.77.
 * @param seed whole, in [0, 2^53)
 * @param options `stream`, whole in [0, 2^32): streams of one seed are independent; number batch items or steps by it
 * @throws {SchedulerError} on another seed
 * @throws {ConfigError} on another stream, or an unknown option
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.2 (Philox 4x32-10).
 */
export function philox(seed: number, options: PhiloxOptions = {}): NoiseStream<PhiloxState> {
  const { stream } = resolve('philox', { stream: integer(0, 0, 2 ** 32 - 1) }, options)
  const key = [checkedSeed('philox', seed) >>> 0, Math.floor(seed / 2 ** 32)] as const
  return Object.freeze<NoiseStream<PhiloxState>>({
    begin: () => ({ drawn: 0 }),
    draw({ drawn }, count) {
      if (!Number.isSafeInteger(drawn) || drawn < 0) refuse('philox.draw', 'a state of philox', show(drawn), 'begin() makes one')
      const end = drawn + checkedCount('philox.draw', count)
      const values = new Float32Array(count)
      for (let block = Math.floor(drawn / 4); block * 4 < end; block++) {
        normals(bits([block >>> 0, Math.floor(block / 2 ** 32), stream, 0], key)).forEach((value, i) => {
          const at = block * 4 + i - drawn
          if (at >= 0 && at < count) values[at] = value
        })
      }
      return { values, state: { drawn: end } }
    },
  })
}

type Words = readonly [number, number, number, number]

function normals(words: Words): Words {
  const [a, b, c, d] = words.map((word) => (word >>> 8) * 2 ** -24) as unknown as Words // four of four
  // 1 − u lies in [2^-24, 1], so the logarithm is finite.
  const [first, second] = [Math.sqrt(-2 * Math.log1p(-a)), Math.sqrt(-2 * Math.log1p(-c))]
  const [angle, other] = [2 * Math.PI * b, 2 * Math.PI * d]
  return [first * Math.cos(angle), first * Math.sin(angle), second * Math.cos(other), second * Math.sin(other)]
}

/** Ten rounds on a counter of four words, the least significant first. */
function bits([c0, c1, c2, c3]: Words, [k0, k1]: readonly [number, number]): Words {
  for (let round = 0; round < 10; round++) {
    const [m0, m1] = [0xd2511f53, 0xcd9e8d57]
    const [high0, high1] = [highProduct(m0, c0), highProduct(m1, c2)]
    const [low0, low1] = [Math.imul(m0, c0) >>> 0, Math.imul(m1, c2) >>> 0]
    ;[c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0]
    ;[k0, k1] = [(k0 + 0x9e3779b9) >>> 0, (k1 + 0xbb67ae85) >>> 0]
  }
  return [c0, c1, c2, c3]
}

/** The upper 32 bits of a 64-bit product; every partial product stays below 2^53, so doubles hold it exactly. */
function highProduct(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const cross = aLow * bHigh + (middle & 0xffff)
  return aHigh * bHigh + (middle >>> 16) + (cross >>> 16)
}
