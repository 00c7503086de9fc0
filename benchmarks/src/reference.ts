import type { Input } from './workload.ts'

/** Entries to look at: `count` spread over `size`, odd strides apart, the first and the last among them. */
export function samples(size: number, count: number): number[] {
  const n = Math.min(size, count)
  return Array.from({ length: n }, (_, i) => (n === 1 ? 0 : Math.round((i * (size - 1)) / (n - 1))))
}

/** Largest |got − want| of some entries, relative to the root mean square of the wanted. */
export function relativeError(got: ArrayLike<number>, want: (index: number) => number, entries: readonly number[]): number {
  let worst = 0
  let squares = 0
  for (const i of entries) {
    const value = want(i)
    const off = Math.abs((got[i] ?? Number.NaN) - value)
    // A NaN is worse than any number.
    worst = Number.isNaN(off) ? Infinity : Math.max(worst, off)
    squares += value * value
  }
  return worst / Math.sqrt(squares / entries.length)
}

const at = (x: ArrayLike<number>, i: number): number => x[i] ?? 0

/** Entry of `a·b`, n×n. */
export function matmulEntry(a: ArrayLike<number>, b: ArrayLike<number>, n: number, index: number): number {
  const [row, column] = [Math.floor(index / n), index % n]
  let sum = 0
  for (let k = 0; k < n; k++) sum += at(a, row * n + k) * at(b, k * n + column)
  return sum
}

/** Sizes of a 3×3 convolution of one or more images with a zero border of one pixel. */
export interface Conv {
  readonly channels: number
  readonly filters: number
  readonly height: number
  readonly width: number
  readonly stride: number
}

/** Entry of the convolution `[B,O,H',W']`. */
export function convEntry(x: ArrayLike<number>, w: ArrayLike<number>, { channels, filters, height, width, stride }: Conv, index: number): number {
  const [oh, ow] = [Math.ceil(height / stride), Math.ceil(width / stride)]
  const column = index % ow
  const row = Math.floor(index / ow) % oh
  const filter = Math.floor(index / (ow * oh)) % filters
  const image = Math.floor(index / (ow * oh * filters))
  let sum = 0
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < 9; i++) {
      const [y, z] = [row * stride + Math.floor(i / 3) - 1, column * stride + (i % 3) - 1]
      if (y < 0 || z < 0 || y >= height || z >= width) continue
      sum += at(x, ((image * channels + c) * height + y) * width + z) * at(w, (filter * channels + c) * 9 + i)
    }
  }
  return sum
}

/** Row of `softmax(q·kᵀ/√D)·v` of one head; q, k, v `[heads, N, D]`. */
export function attentionRow(q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>, [n, d]: readonly [number, number], row: number): Float64Array {
  const head = Math.floor(row / n) * n
  const scores = Float64Array.from({ length: n }, (_, j) => {
    let dot = 0
    for (let c = 0; c < d; c++) dot += at(q, row * d + c) * at(k, (head + j) * d + c)
    return dot / Math.sqrt(d)
  })
  const top = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  const weights = scores.map((s) => Math.exp(s - top))
  const total = weights.reduce((a, b) => a + b, 0)
  const out = new Float64Array(d)
  for (let j = 0; j < n; j++) for (let c = 0; c < d; c++) out[c] = (out[c] ?? 0) + (at(weights, j) / total) * at(v, (head + j) * d + c)
  return out
}

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

/** Weights of the small conv net by name; see {@link netLoss}. */
export const netShapes = {
  conv1: [16, 1, 3, 3], conv2: [32, 16, 3, 3], conv3: [32, 32, 3, 3], dense: [10, 1568],
} as const
const layers: readonly (readonly ['conv1' | 'conv2' | 'conv3', Conv])[] = [
  ['conv1', { channels: 1, filters: 16, height: 28, width: 28, stride: 1 }],
  ['conv2', { channels: 16, filters: 32, height: 28, width: 28, stride: 2 }],
  ['conv3', { channels: 32, filters: 32, height: 14, width: 14, stride: 2 }],
]

/** Mean cross-entropy of three 3×3 convolutions with ReLU (strides 1, 2, 2) and a dense layer on `[B,1,28,28]`; no biases. */
export function netLoss(images: Input, labels: ArrayLike<number>, weights: Readonly<Record<string, ArrayLike<number>>>): number {
  const batch = images.shape[0] ?? 0
  let x: ArrayLike<number> = images.data
  for (const [name, conv] of layers) {
    const size = batch * conv.filters * Math.ceil(conv.height / conv.stride) * Math.ceil(conv.width / conv.stride)
    const [from, w]: [ArrayLike<number>, ArrayLike<number>] = [x, weights[name] ?? []]
    x = Float64Array.from({ length: size }, (_, i) => Math.max(0, convEntry(from, w, conv, i)))
  }
  const dense = weights['dense'] ?? []
  const features = x.length / batch
  let loss = 0
  for (let b = 0; b < batch; b++) {
    const logits = Float64Array.from({ length: 10 }, (_, o) => {
      let sum = 0
      for (let i = 0; i < features; i++) sum += at(x, b * features + i) * at(dense, o * features + i)
      return sum
    })
    loss += Math.log(logits.reduce((s, v) => s + Math.exp(v), 0)) - at(logits, at(labels, b))
  }
  return loss / batch
}
