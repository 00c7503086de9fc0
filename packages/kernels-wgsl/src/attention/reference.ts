import type { RefTensor } from '../op.ts'
import { element } from '../shape.ts'
import { type AttentionAttrs, type Sizes, vectorSteps } from './sizes.ts'

/** Visits each query's scores, −∞ where a key is switched off: `row` is the number of the query's vector, `keyAt(j)` that of key j. */
export function eachScore(
  q: RefTensor,
  k: RefTensor,
  mask: RefTensor | undefined,
  { scale, causal }: AttentionAttrs,
  sizes: Sizes,
  visit: (row: number, keyAt: (j: number) => number, scores: Float64Array) => void,
): void {
  const { batch, heads, queries, keys, depth, maskBatch, maskHead } = sizes
  const [toQuery, toKey] = [vectorSteps(sizes, queries), vectorSteps(sizes, keys)]
  const scores = new Float64Array(keys)
  for (let b = 0; b < batch; b++) for (let h = 0; h < heads; h++) for (let i = 0; i < queries; i++) {
    const row = b * heads * queries + h * toQuery.head + i * toQuery.token
    const keyAt = (j: number): number => b * heads * keys + h * toKey.head + j * toKey.token
    for (let j = 0; j < keys; j++) {
      if (causal && j > i) {
        scores[j] = -Infinity
        continue
      }
      let dot = 0
      for (let d = 0; d < depth; d++) dot += element(q.data, row * depth + d) * element(k.data, keyAt(j) * depth + d)
      const added = mask ? element(mask.data, b * maskBatch + h * maskHead + i * keys + j) : 0
      scores[j] = scale * dot + added
    }
    visit(row, keyAt, scores)
  }
}
