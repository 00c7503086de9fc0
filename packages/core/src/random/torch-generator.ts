import { ConfigError } from '../errors.ts'
import { Mt19937 } from './mt19937.ts'
import { checkLength, splitSeed } from './seed.ts'

const { cos, fround, log, log1p, sin, sqrt } = Math
const TWO_PI = 2 * Math.PI
const TWO_MINUS_53 = 2 ** -53
/** torch fills 16 normals at a time: element j is paired with element j + 8. */
const GROUP = 16
const HALF = 8

/**
 * torch's default CPU generator: a seed gives the numbers that `torch.Generator().manual_seed(seed)` gives for float32
 * and int64 draws made in the same order. `uniform`, `randint`, `randperm` and `randn` of fewer than 16 values are
 * bit-exact; of longer `randn` some five values in six are, and the rest differ by up to 3 f32 ulp (measured over
 * 4 million), because torch's vectorised log, sin and cos do.
 *
 * A stream depends on how it is cut: `randn(32)` differs from two `randn(16)` with a tail, and one draw of a batch
 * differs from one draw per item.
 *
 * Source: behaviour of torch on CPU (aten/src/ATen/native/cpu/DistributionTemplates.h, core/MT19937RNGEngine.h).
 */
export class TorchGenerator {
  readonly #words: Mt19937
  #cachedNormal: number | undefined

  /** @throws {ConfigError} if the seed is not an integer in [0, 2^53). Only its low 32 bits matter, as in torch. */
  constructor(seed: number) {
    this.#words = new Mt19937(splitSeed('TorchGenerator', seed)[0])
  }

  /** n uniform numbers in [0, 1) with 24 bits each: `torch.rand(n)`. */
  uniform(n: number): Float32Array<ArrayBuffer> {
    const out = new Float32Array(checkLength('TorchGenerator.uniform', n))
    for (let i = 0; i < n; i++) out[i] = this.#uniform24()
    return out
  }

  /**
   * n standard normal numbers: `torch.randn(n)` in float32. For a tensor of any shape pass its number of elements.
   *
   * From 16 values on, torch transforms uniforms in groups of 16 and draws the last 16 anew if n is not a multiple.
   * Below, it makes pairs in double precision and keeps the second of a pair for the next short call.
   */
  randn(n: number): Float32Array<ArrayBuffer> {
    checkLength('TorchGenerator.randn', n)
    if (n < GROUP) return Float32Array.from({ length: n }, () => this.#normal53())
    const out = this.uniform(n)
    const whole = n - (n % GROUP)
    for (let start = 0; start < whole; start += GROUP) boxMuller16(out, start)
    if (whole < n) {
      out.set(this.uniform(GROUP), n - GROUP)
      boxMuller16(out, n - GROUP)
    }
    return out
  }

  /**
   * n integers in [low, high): `torch.randint(low, high, (n,))`, including torch's slight modulo bias.
   *
   * @throws {ConfigError} unless low < high, both fit in 32 signed bits and high − low < 2^32.
   */
  randint(low: number, high: number, n: number): Int32Array<ArrayBuffer> {
    checkLength('TorchGenerator.randint', n)
    if ((low | 0) !== low || !Number.isInteger(high) || high <= low || high - low >= 2 ** 32 || high > 2 ** 31) {
      throw new ConfigError(
        'TorchGenerator.randint: expected integers -2^31 <= low < high <= 2^31 with high - low < 2^32, ' +
          `got low ${low} and high ${high}; the upper bound is exclusive`,
      )
    }
    const range = high - low
    return Int32Array.from({ length: n }, () => low + (this.#words.next() % range))
  }

  /** A permutation of 0..n-1: `torch.randperm(n)`. */
  randperm(n: number): Uint32Array<ArrayBuffer> {
    const out = Uint32Array.from({ length: checkLength('TorchGenerator.randperm', n) }, (_, i) => i)
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.#words.next() % (n - i))
      const kept = out[i]!
      out[i] = out[j]!
      out[j] = kept
    }
    return out
  }

  #uniform24(): number {
    return (this.#words.next() & 0xffffff) * 2 ** -24
  }

  /** 53 low bits of a 64-bit word whose high half is drawn first. */
  #uniform53(): number {
    const high = this.#words.next() & 0x1fffff
    return (high * 4294967296 + this.#words.next()) * TWO_MINUS_53
  }

  #normal53(): number {
    const cached = this.#cachedNormal
    if (cached !== undefined) {
      this.#cachedNormal = undefined
      return cached
    }
    const angle = TWO_PI * this.#uniform53()
    const radius = sqrt(-2 * log1p(-this.#uniform53()))
    this.#cachedNormal = radius * sin(angle)
    return radius * cos(angle)
  }
}

/** Turns the 16 uniforms at `start` into normals in place, with every step rounded to f32 as torch does it. */
function boxMuller16(x: Float32Array, start: number): void {
  for (let j = start; j < start + HALF; j++) {
    const radius = fround(sqrt(-2 * fround(log(1 - x[j]!))))
    const angle = fround(fround(TWO_PI) * x[j + HALF]!)
    x[j] = radius * fround(cos(angle))
    x[j + HALF] = radius * fround(sin(angle))
  }
}
