import { flatConcat, flatOffsets, sameShape } from '@antipode/kernels-wgsl'
import { concat, softmax } from '../functional/index.ts'
import { apply1, type Tensor } from '../graph/index.ts'

/** One step of a random graph: what to do, and with which of the tensors made so far. */
export type RandomStep = readonly [kind: number, a: number, b: number]

/** Number of kinds of steps. */
export const stepKinds = 14

/**
 * Builds a graph of chained, branching, viewing and reducing ops whose values stay near 1, so that comparisons are fair.
 * Returns every tensor made; later ones depend on earlier ones. All have 24 elements or fewer.
 */
export function randomGraph(leaves: readonly Tensor[], steps: readonly RandomStep[]): Tensor[] {
  const made = [...leaves]
  const pick = (k: number): Tensor => made[k % made.length] as Tensor
  for (const [kind, a, b] of steps) {
    const y = stepOf(kind % stepKinds, pick(a), pick(b))
    made.push(y)
  }
  return made.slice(leaves.length)
}

function stepOf(kind: number, x: Tensor, other: Tensor): Tensor {
  const y = sameShape(x.shape, other.shape) ? other : other.mean()
  const n = x.shape.at(-1) ?? 1
  switch (kind) {
    case 0: return x.tanh()
    case 1: return x.mul(0.7).sin()
    case 2: return x.add(y).mul(0.5)
    case 3: return x.mul(y)
    case 4: return x.maximum(y.sub(0.25))
    case 5: return x.rank > 1 ? x.transpose() : x.silu()
    case 6: return x.reshape([-1])
    case 7: return x.size === 24 ? x.reshape([2, 3, 4]) : x.square().mul(0.5)
    case 8: return n > 1 ? concat([x.slice(-1, 1), x.slice(-1, 0, 1)], -1) : x.neg()
    case 9: return x.unsqueeze(0).expand([3, ...x.shape]).mul(0.5).mean({ axes: 0 })
    case 10: return x.rank > 0 ? x.sub(x.mean({ axes: -1, keepDims: true })) : x.sigmoid()
    case 11: return concat([x.reshape([-1]), y.reshape([-1])]).slice(0, 0, x.size).reshape(x.shape)
    case 12: {
      const joined = apply1(flatConcat, [x, other, x])
      const start = flatOffsets([x.size, other.size]).size
      return joined.slice(0, start, start + x.size).reshape(x.shape).add(joined.mean())
    }
    default: {
      const rows = x.reshape([-1, n])
      return softmax(rows.matmul(rows, { transposeB: true })).matmul(rows).reshape(x.shape)
    }
  }
}
