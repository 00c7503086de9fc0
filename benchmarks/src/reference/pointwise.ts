import { at } from './entries.ts'

/** `silu(groupNorm(x))` of one image `[C, …]`, all entries. */
export function groupNormSilu(x: ArrayLike<number>, weight: ArrayLike<number>, bias: ArrayLike<number>, groups: number): Float64Array {
  const [size, channels] = [x.length / groups, weight.length]
  const out = new Float64Array(x.length)
  for (let g = 0; g < groups; g++) {
    let sum = 0
    for (let i = 0; i < size; i++) sum += at(x, g * size + i)
    const mean = sum / size
    let squares = 0
    for (let i = 0; i < size; i++) squares += (at(x, g * size + i) - mean) ** 2
    const scale = 1 / Math.sqrt(squares / size + 1e-5)
    for (let i = g * size; i < (g + 1) * size; i++) {
      const c = Math.floor((i * channels) / x.length)
      const y = (at(x, i) - mean) * scale * at(weight, c) + at(bias, c)
      out[i] = y / (1 + Math.exp(-y))
    }
  }
  return out
}

/** The error function: its Taylor series near 0, the continued fraction of its complement beyond (Abramowitz & Stegun 7.1.5, 7.1.14). */
export function erf(x: number): number {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  let sum: number
  if (z < 2) {
    let term = z
    sum = z
    for (let n = 1; n < 60; n++) {
      term *= -z * z / n
      sum += term / (2 * n + 1)
    }
    sum *= 2 / Math.sqrt(Math.PI)
  } else {
    let fraction = z
    for (let n = 80; n > 0; n--) fraction = z + n / 2 / fraction
    sum = 1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction
  }
  return Math.sign(x) * sum
}

/** `x·Φ(x)`. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2))
}

/** Entry of `a·gelu(b)`, where a and b are the halves of the last axis of x `[M, 2·width]`. */
export function gegluEntry(x: ArrayLike<number>, width: number, index: number): number {
  const start = Math.floor(index / width) * 2 * width + (index % width)
  return at(x, start) * gelu(at(x, start + width))
}

/** Row of `geglu(x·w1ᵀ + b1)·w2ᵀ + b2`; x `[M,D]`, w1 `[2·H,D]`, w2 `[D,H]`. */
export function feedForwardRow(arrays: Readonly<Record<'x' | 'w1' | 'b1' | 'w2' | 'b2', ArrayLike<number>>>, [d, h]: readonly [number, number], row: number): Float64Array {
  const { x, w1, b1, w2, b2 } = arrays
  const both = Float64Array.from({ length: 2 * h }, (_, o) => {
    let sum = at(b1, o)
    for (let i = 0; i < d; i++) sum += at(x, row * d + i) * at(w1, o * d + i)
    return sum
  })
  const gated = Float64Array.from({ length: h }, (_, i) => gegluEntry(both, h, i))
  return Float64Array.from({ length: d }, (_, o) => {
    let sum = at(b2, o)
    for (let i = 0; i < h; i++) sum += at(gated, i) * at(w2, o * h + i)
    return sum
  })
}
