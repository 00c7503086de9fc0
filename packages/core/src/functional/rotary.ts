import { ShapeError } from '../errors.ts'
import type { Tensor } from '../graph/index.ts'
import { checkOptions, oneOf, positive } from '../options/index.ts'
import { concat } from './shape.ts'

/** Options of {@link rotaryEmbedding}. */
export interface RotaryOptions {
  /**
   * Which channels turn together: `adjacent`, the default, 2i and 2i + 1 as in Flux and CogVideoX, or `halves`, i and i + D/2 as in
   * Llama and Stable Audio.
   */
  readonly pairs?: 'adjacent' | 'halves'
}

const ranges = { pairs: oneOf('adjacent', 'halves') }

/**
 * Rotary position embedding: each pair of channels (a, b) becomes `(a·cos − b·sin, b·cos + a·sin)`.
 * x `[..., N, D]`, cos and sin `[N, D/2]` or what broadcasts to `[..., N, D/2]` -> `[..., N, D]`.
 * @throws {ShapeError} if D is odd or shapes do not fit @throws {ConfigError} if an option is none
 * Source: RoFormer, arXiv 2104.09864, equation 34.
 */
export function rotaryEmbedding(x: Tensor, cos: Tensor, sin: Tensor, options: RotaryOptions = {}): Tensor {
  checkOptions('rotaryEmbedding', options, ranges)
  const width = x.shape.at(-1) ?? 1
  if (width % 2 !== 0) throw new ShapeError(`rotaryEmbedding: expected x [..., N, D] with an even D, got [${x.shape.join()}]`)
  const half = width / 2
  if (options.pairs === 'halves') {
    const [a, b] = [x.slice(-1, 0, half), x.slice(-1, half, width)]
    return concat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1)
  }
  const pairs = x.reshape([...x.shape.slice(0, -1), half, 2])
  const [a, b, c, s] = [pairs.slice(-1, 0, 1), pairs.slice(-1, 1, 2), cos.unsqueeze(-1), sin.unsqueeze(-1)]
  return concat([a.mul(c).sub(b.mul(s)), b.mul(c).add(a.mul(s))], -1).reshape(x.shape)
}

/** Options of {@link rotaryAngles}. */
export interface RotaryAnglesOptions {
  /** Of which the wavelengths are powers, above 0; 10,000 by default. */
  readonly theta?: number
}

/**
 * The angles by which positions turn, `positions[n] · θ^(−2i/D)`, row by row: `[N, D/2]`, in float64.
 * @param width D, even and 2 or more @throws {ShapeError} if it is not @throws {ConfigError} if an option is none
 */
export function rotaryAngles(positions: ArrayLike<number>, width: number, options: RotaryAnglesOptions = {}): Float64Array {
  checkOptions('rotaryAngles', options, { theta: positive })
  if (!Number.isInteger(width) || width < 2 || width % 2 !== 0) throw new ShapeError(`rotaryAngles: expected an even width of 2 or more, got ${width}`)
  const { theta = 10_000 } = options
  const half = width / 2
  return Float64Array.from({ length: positions.length * half }, (_, k) => positions[Math.floor(k / half)]! * theta ** (-(k % half) / half))
}
