import { DTypeError, ShapeError, UnsupportedError } from '../errors.ts'
import type { DType, Spec } from '../op.ts'
import { broadcastShapes, computableFloat, expectRank, input, sameDType, sameShape, shapeText } from '../shape.ts'

/**
 * Attributes of `attention` and its gradients: the factor on `q·k`, whether query i sees only keys up to i, and
 * whether the inputs end with a mask.
 */
export type AttentionAttrs = { readonly scale: number; readonly causal: boolean; readonly hasMask: boolean }

/** Largest head that the kernels hold in registers. */
const maxDepth = 256

/** Sizes of an attention problem; mask strides are 0 where the mask broadcasts. */
export interface Sizes {
  readonly batch: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly depth: number
  readonly maskBatch: number
  readonly maskHead: number
}

/** The sizes of `q [B,H,N,D]`, `k [B,H,M,D]` and a mask, once the inputs are known to be right. */
function sizesOf(q: Spec, k: Spec, mask: Spec | undefined): Sizes {
  const [batch = 0, heads = 0, queries = 0, depth = 0] = q.shape
  const keys = k.shape[2] ?? 0
  const plane = queries * keys
  const [b = 1, h = 1] = mask?.shape ?? []
  return { batch, heads, queries, keys, depth, maskHead: h === 1 ? 0 : plane, maskBatch: b === 1 ? 0 : h * plane }
}

/** Multiply-adds of one product over a head's channels for every pair of a query and a key that it sees. */
export function pairMacs(inputs: readonly Spec[], { causal }: AttentionAttrs): number {
  const [q, k] = [input('attention', inputs, 0), input('attention', inputs, 1)]
  const { batch, heads, queries, keys, depth } = sizesOf(q, k, undefined)
  // Query i sees keys 0 to i, and those beyond the last key all of them.
  const n = Math.min(queries, keys)
  const pairs = causal ? n * (n + 1) / 2 + (queries - n) * keys : queries * keys
  return batch * heads * depth * pairs
}

/** Checks `q, k, v` and, at `maskAt`, the mask. @throws {ShapeError} @throws {DTypeError} @throws {UnsupportedError} if D exceeds 256 */
export function check(op: string, inputs: readonly Spec[], { hasMask }: AttentionAttrs, maskAt: number): { sizes: Sizes; dtype: DType } {
  const [q, k, v] = [0, 1, 2].map((i) => input(op, inputs, i)) as [Spec, Spec, Spec]
  const dtype = computableFloat(op, q)
  for (const [name, s] of [['q', q], ['k', k], ['v', v]] as const) expectRank(op, `${name} [B,H,tokens,D]`, s, 4)
  if (!sameShape(k.shape, v.shape) || !sameShape([...q.shape.slice(0, 2), q.shape[3] ?? 0], [...k.shape.slice(0, 2), k.shape[3] ?? 0])) {
    throw new ShapeError(
      `${op}: expected q [B,H,N,D] and k and v [B,H,M,D], got ${shapeText(q.shape)}, ${shapeText(k.shape)} and ${shapeText(v.shape)}`,
    )
  }
  if ((q.shape[3] ?? 0) > maxDepth) {
    throw new UnsupportedError(`${op}: expected heads of at most ${maxDepth} channels, got ${q.shape[3]}; use more heads, or matmul and softmax`)
  }
  const mask = hasMask ? input(op, inputs, maskAt) : undefined
  if (inputs.length !== maskAt + (hasMask ? 1 : 0)) {
    throw new ShapeError(`${op}: expected ${maskAt + (hasMask ? 1 : 0)} inputs with hasMask ${hasMask}, got ${inputs.length}`)
  }
  const scores = [...q.shape.slice(0, 3), k.shape[2] ?? 0]
  if (mask && !(sameShape(mask.shape.slice(2), scores.slice(2)) && mask.shape.length === 4 &&
    sameShape(broadcastShapes(op, [mask.shape, scores]), scores))) {
    throw new ShapeError(`${op}: expected a mask [1|B,1|H,N,M] for scores ${shapeText(scores)}, got ${shapeText(mask.shape)}`)
  }
  sameDType(op, mask ? [q, k, v, mask] : [q, k, v])
  return { sizes: sizesOf(q, k, mask), dtype }
}

/** Checks what the gradients take besides: dy like q, lse and delta `[B,H,N]` in f32. */
export function checkGradInputs(op: string, inputs: readonly Spec[]): void {
  const [q, dy, lse, delta] = [0, 3, 4, 5].map((i) => input(op, inputs, i)) as [Spec, Spec, Spec, Spec]
  const rows = q.shape.slice(0, 3)
  if (!sameShape(dy.shape, q.shape) || !sameShape(lse.shape, rows) || !sameShape(delta.shape, rows)) {
    throw new ShapeError(
      `${op}: expected dy ${shapeText(q.shape)}, lse and delta ${shapeText(rows)}, ` +
        `got ${[dy, lse, delta].map((s) => shapeText(s.shape)).join(', ')}`,
    )
  }
  sameDType(op, [q, dy])
  if (lse.dtype !== 'f32' || delta.dtype !== 'f32') throw new DTypeError(`${op}: expected lse and delta in f32, got ${lse.dtype} and ${delta.dtype}`)
}
