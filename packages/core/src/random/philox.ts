import { checkOptions, required, whole } from '../options/index.ts'
import { checkLength, checkStream, splitSeed } from './seed.ts'

// Multipliers and Weyl increments of Philox 4x32: Salmon et al., SC 2011.
const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85
const ROUNDS = 10

const TWO32 = 4294967296
const TWO_MINUS_24 = 2 ** -24

const ranges = { seed: required(whole(0)), stream: whole(0, TWO32 - 1) }

export type Word4 = readonly [number, number, number, number]

export interface PhiloxOptions {
  /** Integer in [0, 2^53). Equal seeds give equal numbers on every host. */
  seed: number
  /** Integer in [0, 2^32), default 0. Streams of one seed are independent: number layers, steps or workers with it. */
  stream?: number
}

/** Upper 32 bits of the 64-bit product. Every partial product stays below 2^53, so doubles hold it exactly. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const mid = aHigh * bLow + ((aLow * bLow) >>> 16)
  const cross = aLow * bHigh + (mid & 0xffff)
  return aHigh * bHigh + (mid >>> 16) + (cross >>> 16)
}

/** One block without allocation: writes the four words of counter (c0, c1, c2, c3) under key (k0, k1) to `out`. */
export function philoxBlock(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(M0, c0)
    const high1 = mulHigh(M1, c2)
    const low0 = Math.imul(M0, c0)
    const low1 = Math.imul(M1, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + W0) >>> 0
    k1 = (k1 + W1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/**
 * Philox 4x32-10: a keyed bijection of 128-bit counters, bit-exact with Random123's known-answer tests.
 *
 * @param counter four unsigned 32-bit words, least significant first
 * @param key two unsigned 32-bit words
 * @returns four unsigned 32-bit words
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.2.
 */
export function philox4x32(counter: Word4, key: readonly [number, number]): [number, number, number, number] {
  const out = new Uint32Array(4)
  philoxBlock(out, counter[0], counter[1], counter[2], counter[3], key[0], key[1])
  return [...out] as [number, number, number, number] // a Uint32Array of length four
}

/**
 * The bits under `philoxUniform` and `philoxNormal`: word i is word (i mod 4) of block floor(i / 4).
 *
 * Layout, which the WGSL twin shares word for word:
 *
 * | word      | holds                                         |
 * | --------- | --------------------------------------------- |
 * | counter 0 | low 32 bits of the block number floor(i / 4)  |
 * | counter 1 | high bits of the block number (0 up to 2^34 values) |
 * | counter 2 | stream                                        |
 * | counter 3 | domain: 0 for arrays, 1 for `Rng`             |
 * | key 0     | seed mod 2^32                                 |
 * | key 1     | floor(seed / 2^32), below 2^21                |
 *
 * @throws {ConfigError} if n, the seed or the stream is out of range, or another option is given.
 */
export function philoxBits(n: number, options: PhiloxOptions): Uint32Array {
  checkOptions('philox', options, ranges)
  const { seed, stream = 0 } = options
  const length = checkLength('philoxBits', n)
  const [k0, k1] = splitSeed('philoxBits', seed)
  const c2 = checkStream('philoxBits', stream)
  const words = new Uint32Array(length)
  const block = new Uint32Array(4)
  for (let start = 0; start < length; start += 4) {
    const index = start / 4
    philoxBlock(block, index >>> 0, Math.floor(index / TWO32), c2, 0, k0, k1)
    words.set(start + 4 <= length ? block : block.subarray(0, length - start), start)
  }
  return words
}

/**
 * n uniform numbers in [0, 1): u = (word >>> 8) · 2^-24, so every value is exact in f32 and equal on CPU and GPU.
 *
 * @throws {ConfigError} if n, the seed or the stream is out of range, or another option is given.
 */
export function philoxUniform(n: number, options: PhiloxOptions): Float32Array<ArrayBuffer> {
  const words = philoxBits(n, options)
  const out = new Float32Array(n)
  for (let i = 0; i < n; i++) out[i] = (words[i]! >>> 8) * TWO_MINUS_24
  return out
}

/**
 * n standard normal numbers by Box–Muller. The four uniforms u0..u3 of block b give elements 4b..4b+3:
 * r = √(−2 ln(1 − u0)), θ = 2π·u1, (r cos θ, r sin θ), and the same from (u2, u3).
 *
 * Computed in float64 and rounded once; the GPU's f32 arithmetic differs by a few ulp of r. |z| <= √(48 ln 2) ≈ 5.77.
 *
 * @throws {ConfigError} if n, the seed or the stream is out of range, or another option is given.
 * Source: Box and Muller, "A note on the generation of random normal deviates", 1958.
 */
export function philoxNormal(n: number, options: PhiloxOptions): Float32Array<ArrayBuffer> {
  checkLength('philoxNormal', n)
  const values = philoxUniform(n + (n % 2), options)
  for (let i = 0; i < values.length; i += 2) {
    // 1 − u lies in [2^-24, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log1p(-values[i]!))
    const angle = 2 * Math.PI * values[i + 1]!
    values[i] = radius * Math.cos(angle)
    values[i + 1] = radius * Math.sin(angle)
  }
  return n % 2 === 0 ? values : values.slice(0, n)
}
