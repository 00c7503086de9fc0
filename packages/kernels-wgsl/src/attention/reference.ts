import type { Ref } from '../op.ts'
import { at } from '../shape.ts'
import { lowest } from '../wgsl/index.ts'
import { type AttentionAttrs, type Sizes } from './sizes.ts'

/** Visits each query's scores, −∞ where a key is switched off: `row` counts queries over all heads, `head` heads over the batch. */
export function eachScore(
  q: Ref,
  k: Ref,
  mask: Ref | undefined,
  { scale, causal }: AttentionAttrs,
  { batch, heads, queries, keys, depth, maskBatch, maskHead }: Sizes,
  visit: (row: number, head: number, scores: Float64Array) => void,
): void {
  const scores = new Float64Array(keys)
  for (let head = 0; head < batch * heads; head++) for (let i = 0; i < queries; i++) {
    const row = head * queries + i
    for (let j = 0; j < keys; j++) {
      let dot = 0
      for (let d = 0; d < depth; d++) dot += at(q.data, row * depth + d) * at(k.data, (head * keys + j) * depth + d)
      const added = mask ? at(mask.data, Math.floor(head / heads) * maskBatch + head % heads * maskHead + i * keys + j) : 0
      const t = scale * dot + added
      scores[j] = t <= lowest || causal && j > i ? -Infinity : t
    }
    visit(row, head, scores)
  }
}
