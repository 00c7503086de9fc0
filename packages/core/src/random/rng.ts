import { ConfigError } from '../errors.ts'
import { checkOptions, whole } from '../options/index.ts'
import { philoxBlock } from './philox.ts'
import { checkStream, splitSeed } from './seed.ts'

const TWO32 = 4294967296
/** Counter word 3. Arrays use 0, so an `Rng` never repeats the noise drawn from its own seed. */
const DOMAIN = 1

/** Everything an `Rng` is: plain JSON, so a checkpoint can hold it. */
export interface RngState {
  readonly seed: number
  readonly stream: number
  /** How many 32-bit words have been drawn. */
  readonly position: number
}

/**
 * A small sequential generator for host code (data order, augmentation, bootstrap), on Philox 4x32-10.
 * Its whole state is a position, so a run resumed from `state` continues bit for bit.
 *
 * @example
 * const random = rng(7)
 * random.shuffle([1, 2, 3])
 * const later = Rng.restore(JSON.parse(JSON.stringify(random.state)))
 */
export class Rng {
  readonly #seed: number
  readonly #stream: number
  readonly #key: readonly [number, number]
  readonly #block: Uint32Array = new Uint32Array(4)
  #blockIndex = -1
  #position: number

  /** @throws {ConfigError} if the seed, stream or position is out of range. */
  constructor(state: RngState) {
    if (!Number.isSafeInteger(state.position) || state.position < 0) {
      throw new ConfigError(
        `Rng: expected a position in [0, 2^53), got ${state.position}; restore from a state that an Rng returned`,
      )
    }
    this.#key = splitSeed('Rng', state.seed)
    this.#seed = state.seed
    this.#stream = checkStream('Rng', state.stream)
    this.#position = state.position
  }

  /** The generator that continues where `state` was taken. @throws {ConfigError} if a field is out of range. */
  static restore(state: RngState): Rng {
    return new Rng(state)
  }

  /** A snapshot for `Rng.restore`. */
  get state(): RngState {
    return { seed: this.#seed, stream: this.#stream, position: this.#position }
  }

  /** A float64 in [0, 1) with 53 random bits; draws two words. */
  uniform(): number {
    const high = this.#word() >>> 5
    return (high * 2 ** 26 + (this.#word() >>> 6)) * 2 ** -53
  }

  /** A standard normal float64 (Box–Muller, the cosine half only: no value is cached); draws four words. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform()))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }

  /**
   * An integer in [0, n), without modulo bias.
   *
   * @throws {ConfigError} if n is not an integer in [1, 2^32].
   */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO32) {
      throw new ConfigError(
        `Rng.int: expected an integer bound in [1, 2^32], got ${n}; the bound itself is never drawn`,
      )
    }
    const limit = TWO32 - (TWO32 % n)
    let word = this.#word()
    while (word >= limit) word = this.#word()
    return word % n
  }

  /** Shuffles in place (Fisher–Yates, all orders equally likely) and returns the same array. */
  shuffle<T extends unknown[] | Int32Array | Uint32Array | Float32Array>(array: T): T {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const kept = array[i]
      array[i] = array[j]
      array[j] = kept
    }
    return array
  }

  #word(): number {
    const index = Math.floor(this.#position / 4)
    if (index !== this.#blockIndex) {
      const [k0, k1] = this.#key
      philoxBlock(this.#block, index >>> 0, Math.floor(index / TWO32), this.#stream, DOMAIN, k0, k1)
      this.#blockIndex = index
    }
    return this.#block[this.#position++ % 4]!
  }
}

/**
 * A sequential generator from a seed in [0, 2^53) and an optional stream in [0, 2^32).
 *
 * @throws {ConfigError} if either is out of range, or another option is given.
 */
export function rng(seed: number, options: { stream?: number } = {}): Rng {
  checkOptions('rng', options, { stream: whole(0, TWO32 - 1) })
  const { stream = 0 } = options
  return new Rng({ seed, stream, position: 0 })
}
