import { at } from '../at.ts'
import { DTypeError, ShapeError, UnsupportedError } from '../errors.ts'
import type { DType, Spec } from '../op.ts'
import { broadcastShapes, computableFloat, expectRank, input, sameDType, sameShape, shapeText } from '../shape.ts'

/**
 * How the vectors of heads lie: `[B,H,N,D]`, head after head, or `[B,N,H,D]`, token after token, as a projection of tokens writes
 * them.
 */
export type AttentionLayout = 'BHND' | 'BNHD'

/**
 * Attributes of `attention` and its gradients: the factor on `q·k`, whether query i sees only keys up to i,
 * whether the inputs end with a mask, and the layout of all operands but that.
 */
export type AttentionAttrs = { readonly scale: number; readonly causal: boolean; readonly hasMask: boolean; readonly layout: AttentionLayout }

/** Channels of the largest head that the kernels hold in registers. */
export const maxHeadChannels = 256

/** Sizes of an attention problem; mask strides are 0 where the mask broadcasts. */
export interface Sizes {
  readonly batch: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly depth: number
  readonly maskBatch: number
  readonly maskHead: number
  readonly layout: AttentionLayout
}

/** How many vectors apart the heads of a token and the tokens of a head lie, where there are so many tokens. */
export function vectorSteps({ heads, layout }: Pick<Sizes, 'heads' | 'layout'>, tokens: number): { readonly head: number; readonly token: number } {
  return layout === 'BNHD' ? { head: 1, token: heads } : { head: tokens, token: 1 }
}

/** The axes of heads and of tokens. */
const axesOf = (layout: AttentionLayout): readonly [heads: number, tokens: number] => (layout === 'BNHD' ? [2, 1] : [1, 2])

/** The sizes of q, k and a mask, once the inputs are known to be right. */
function sizesOf(q: Spec, k: Spec, mask: Spec | undefined, layout: AttentionLayout): Sizes {
  const [headAxis, tokenAxis] = axesOf(layout)
  const [batch = 0, , , depth = 0] = q.shape
  const heads = at(q.shape, headAxis)
  const queries = at(q.shape, tokenAxis)
  const keys = at(k.shape, tokenAxis)
  const plane = queries * keys
  const [b = 1, h = 1] = mask?.shape ?? []
  return { batch, heads, queries, keys, depth, layout, maskHead: h === 1 ? 0 : plane, maskBatch: b === 1 ? 0 : h * plane }
}

const axesText = (layout: AttentionLayout, tokens: string): string => (layout === 'BNHD' ? `[B,${tokens},H,D]` : `[B,H,${tokens},D]`)

/** Multiply-adds of one product over a head's channels for every pair of a query and a key that it sees. */
export function pairMacs(inputs: readonly Spec[], { causal, layout }: AttentionAttrs): number {
  const [q, k] = [input('attention', inputs, 0), input('attention', inputs, 1)]
  const { batch, heads, queries, keys, depth } = sizesOf(q, k, undefined, layout)
  // Query i sees keys 0 to i, and those beyond the last key all of them.
  const n = Math.min(queries, keys)
  const pairs = causal ? n * (n + 1) / 2 + (queries - n) * keys : queries * keys
  return batch * heads * depth * pairs
}

/** Checks what {@link checkAttention} checks, and that the kernels hold the heads. @throws {UnsupportedError} if D exceeds 256 */
export function check(op: string, inputs: readonly Spec[], attrs: AttentionAttrs, maskAt: number): { sizes: Sizes; dtype: DType } {
  const checked = checkAttention(op, inputs, attrs, maskAt)
  if (checked.sizes.depth > maxHeadChannels) {
    throw new UnsupportedError(`${op}: expected heads of at most ${maxHeadChannels} channels, got ${checked.sizes.depth}; use more heads, or matmul and softmax`)
  }
  return checked
}

/** Checks `q, k, v` and, at `maskAt`, the mask, whatever the size of a head. @throws {ShapeError} @throws {DTypeError} */
export function checkAttention(op: string, inputs: readonly Spec[], { hasMask, layout }: AttentionAttrs, maskAt = 3): { sizes: Sizes; dtype: DType } {
  const [q, k, v] = [0, 1, 2].map((i) => input(op, inputs, i)) as [Spec, Spec, Spec]
  const dtype = computableFloat(op, q)
  for (const [name, s] of [['q', q], ['k', k], ['v', v]] as const) expectRank(op, `${name} ${axesText(layout, 'tokens')}`, s, 4)
  const [headAxis] = axesOf(layout)
  if (!sameShape(k.shape, v.shape) || [0, headAxis, 3].some((axis) => q.shape[axis] !== k.shape[axis])) {
    throw new ShapeError(
      `${op}: expected q ${axesText(layout, 'N')} and k and v ${axesText(layout, 'M')}, got ${shapeText(q.shape)}, ${shapeText(k.shape)} and ${shapeText(v.shape)}`,
    )
  }
  const mask = hasMask ? input(op, inputs, maskAt) : undefined
  if (inputs.length !== maskAt + (hasMask ? 1 : 0)) {
    throw new ShapeError(`${op}: expected ${maskAt + (hasMask ? 1 : 0)} inputs with hasMask ${hasMask}, got ${inputs.length}`)
  }
  const sizes = sizesOf(q, k, mask, layout)
  const scores = [sizes.batch, sizes.heads, sizes.queries, sizes.keys]
  if (mask && !(sameShape(mask.shape.slice(2), scores.slice(2)) && mask.shape.length === 4 &&
    sameShape(broadcastShapes(op, [mask.shape, scores]), scores))) {
    throw new ShapeError(`${op}: expected a mask [1|B,1|H,N,M] for scores ${shapeText(scores)}, got ${shapeText(mask.shape)}`)
  }
  sameDType(op, mask ? [q, k, v, mask] : [q, k, v])
  return { sizes, dtype }
}

/** Checks what the gradients take besides: dy like q, and in f32 statistics and delta like q with two channels and without. */
export function checkGradInputs(op: string, inputs: readonly Spec[]): void {
  const [q, dy, statistics, delta] = [0, 3, 4, 5].map((i) => input(op, inputs, i)) as [Spec, Spec, Spec, Spec]
  const rows = q.shape.slice(0, 3)
  if (!sameShape(dy.shape, q.shape) || !sameShape(statistics.shape, [...rows, 2]) || !sameShape(delta.shape, rows)) {
    throw new ShapeError(
      `${op}: expected dy ${shapeText(q.shape)}, statistics ${shapeText([...rows, 2])} and delta ${shapeText(rows)}, ` +
        `got ${[dy, statistics, delta].map((s) => shapeText(s.shape)).join(', ')}`,
    )
  }
  sameDType(op, [q, dy])
  if (statistics.dtype !== 'f32' || delta.dtype !== 'f32') {
    throw new DTypeError(`${op}: expected statistics and delta in f32, got ${statistics.dtype} and ${delta.dtype}`)
  }
}
