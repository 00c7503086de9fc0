import { attentionKeyGrads, attentionQueryGrad, attentionRow, type AttentionSizes, relativeError, samples } from '../reference/index.ts'
import type { Data, Workload } from '../workload.ts'
import { entriesOfRows, normals, rowwise } from './normals.ts'

const heads = 8
const width = 40

/**
 * Attention as in the first two levels of Stable Diffusion 1.5: 8 heads of width 40, to itself or to 77 tokens; or its
 * gradients with respect to q, k and v, the forward pass included: four products of its size forward, eight more backward.
 */
export function attention(kind: 'attention' | 'attentionGrad', queries: number, keys: number = queries): Workload {
  const backward = kind === 'attentionGrad'
  const id = `attention-${queries}${keys === queries ? '' : `x${keys}`}${backward ? '-backward' : ''}`
  return {
    id, kind, group: 'attention',
    title: `attention, ${heads} heads, ${queries} ${keys === queries ? '' : `to ${keys} `}× ${width}${backward ? ', forward and backward' : ''}`,
    work: { amount: (backward ? 12 : 4) * heads * queries * keys * width, unit: 'FLOP' }, tolerance: backward ? 5e-5 : 2e-5,
    make() {
      const normal = normals(id)
      const own = [1, heads, queries, width]
      const other = [1, heads, keys, width]
      const inputs = { q: normal(own), k: normal(other), v: normal(other), ...(backward ? { g: normal(own) } : {}) }
      const arrays = { q: inputs.q.data, k: inputs.k.data, v: inputs.v.data }
      const sizes: AttentionSizes = { heads, queries, keys, width }
      const rows = samples(heads * queries, 24)
      if (!backward) {
        return { inputs, error: ([y = new Float32Array()]) => relativeError(y, rowwise(width, (row) => attentionRow(arrays, sizes, row)), entriesOfRows(rows, width)) }
      }
      return { inputs, error: gradientError(arrays, inputs.g?.data ?? new Float32Array(), sizes, rows) }
    },
  }
}

/** Some rows of dq from all heads, and some of dk and dv of one head: those need all queries of theirs. */
function gradientError(arrays: Readonly<Record<'q' | 'k' | 'v', Float32Array>>, g: Float32Array, sizes: AttentionSizes, rows: readonly number[]): Data['error'] {
  const head = 5
  const chosen = samples(sizes.keys, 6)
  return ([dq = g, dk = g, dv = g]) => {
    const byKey = attentionKeyGrads(arrays, g, sizes, head, chosen)
    const want = (of: readonly Float64Array[]) => (index: number): number =>
      of[chosen.indexOf(Math.floor(index / width) - head * sizes.keys)]?.[index % width] ?? Number.NaN
    const entries = entriesOfRows(chosen.map((j) => head * sizes.keys + j), width)
    return Math.max(
      relativeError(dq, rowwise(width, (row) => attentionQueryGrad(arrays, g, sizes, row)), entriesOfRows(rows, width)),
      relativeError(dk, want(byKey.k), entries),
      relativeError(dv, want(byKey.v), entries),
    )
  }
}
