import { at } from './entries.ts'

/** Sizes of attention of one image: q `[heads, queries, width]`, k and v `[heads, keys, width]`. */
export interface AttentionSizes {
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly width: number
}

/** Arrays that attention reads, row-major. */
export type Arrays = Readonly<Record<'q' | 'k' | 'v', ArrayLike<number>>>

/** `Σ x[i + c]·y[j + c]` over c. */
function dot(x: ArrayLike<number>, i: number, y: ArrayLike<number>, j: number, width: number): number {
  let sum = 0
  for (let c = 0; c < width; c++) sum += at(x, i + c) * at(y, j + c)
  return sum
}

/** `softmax(q·kᵀ/√width)` of one row of queries, counted over all heads. */
function weightsOf({ q, k }: Arrays, { queries, keys, width }: AttentionSizes, row: number): Float64Array {
  const head = Math.floor(row / queries) * keys
  const weights = new Float64Array(keys)
  let top = -Infinity
  for (let j = 0; j < keys; j++) {
    weights[j] = dot(q, row * width, k, (head + j) * width, width) / Math.sqrt(width)
    top = Math.max(top, at(weights, j))
  }
  let total = 0
  for (let j = 0; j < keys; j++) total += weights[j] = Math.exp(at(weights, j) - top)
  for (let j = 0; j < keys; j++) weights[j] = at(weights, j) / total
  return weights
}

/** Row of `softmax(q·kᵀ/√width)·v`, counted over all heads. */
export function attentionRow(arrays: Arrays, sizes: AttentionSizes, row: number): Float64Array {
  const { queries, keys, width } = sizes
  const head = Math.floor(row / queries) * keys
  const weights = weightsOf(arrays, sizes, row)
  const out = new Float64Array(width)
  for (let j = 0; j < keys; j++) for (let c = 0; c < width; c++) out[c] = at(out, c) + at(weights, j) * at(arrays.v, (head + j) * width + c)
  return out
}

/** Row of the gradient of `Σ g·attention` with respect to q, counted over all heads. */
export function attentionQueryGrad(arrays: Arrays, g: ArrayLike<number>, sizes: AttentionSizes, row: number): Float64Array {
  const { queries, keys, width } = sizes
  const head = Math.floor(row / queries) * keys
  const weights = weightsOf(arrays, sizes, row)
  const slopes = weights.map((_, j) => dot(g, row * width, arrays.v, (head + j) * width, width))
  const mean = slopes.reduce((sum, s, j) => sum + at(weights, j) * s, 0)
  const out = new Float64Array(width)
  for (let j = 0; j < keys; j++) {
    const pull = at(weights, j) * (at(slopes, j) - mean) / Math.sqrt(width)
    for (let c = 0; c < width; c++) out[c] = at(out, c) + pull * at(arrays.k, (head + j) * width + c)
  }
  return out
}

/** Rows of the gradients with respect to k and v, of some keys of one head. */
export function attentionKeyGrads(
  arrays: Arrays, g: ArrayLike<number>, sizes: AttentionSizes, head: number, chosen: readonly number[],
): { readonly k: readonly Float64Array[]; readonly v: readonly Float64Array[] } {
  const { queries, keys, width } = sizes
  const grads = { k: chosen.map(() => new Float64Array(width)), v: chosen.map(() => new Float64Array(width)) }
  for (let i = head * queries; i < (head + 1) * queries; i++) {
    const weights = weightsOf(arrays, sizes, i)
    // The mean slope of a row of weights is the slope along the row's own output.
    let mean = 0
    for (let j = 0; j < keys; j++) mean += at(weights, j) * dot(g, i * width, arrays.v, (head * keys + j) * width, width)
    chosen.forEach((j, place) => {
      const weight = at(weights, j)
      const pull = weight * (dot(g, i * width, arrays.v, (head * keys + j) * width, width) - mean) / Math.sqrt(width)
      const [k, v] = [grads.k[place] ?? new Float64Array(), grads.v[place] ?? new Float64Array()]
      for (let c = 0; c < width; c++) {
        k[c] = at(k, c) + pull * at(arrays.q, i * width + c)
        v[c] = at(v, c) + weight * at(g, i * width + c)
      }
    })
  }
  return grads
}
