import { attention, type AttentionLayout, checkAttention, maxHeadChannels, softmax as softmaxOp, stopGradient } from '@antipode/kernels-wgsl'
import { ShapeError } from '../errors.ts'
import { apply1, type Tensor } from '../graph/index.ts'
import { checkOptions, finite, flag, oneOf } from '../options/index.ts'
import { composedAttention } from './composed-attention.ts'
import { aTensor } from './ranges.ts'
import { where } from './shape.ts'

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Added to the scores before the softmax: `[1|B, 1|H, N, M]`; gets no gradient. */
  readonly mask?: Tensor
  /** Whether query i sees keys up to i only, false by default. */
  readonly causal?: boolean
  /** Factor on the scores, any finite number, 1/√D by default. */
  readonly scale?: number
  /** How q, k, v and the result lie: `BHND`, the default, as in torch, or `BNHD`, as projections of tokens write them. */
  readonly layout?: AttentionLayout
}

const ranges = { mask: aTensor, causal: flag, scale: finite, layout: oneOf('BHND', 'BNHD') }

/**
 * `softmax(q·kᵀ·scale + mask)·v` (Vaswani et al. 2017, eq. 1), streamed: no N×M matrix is ever in memory. Heads of more than 256
 * channels are composed of products and a softmax, a part of the queries after the other.
 * q `[B,H,N,D]`, k and v `[B,H,M,D]` -> `[B,H,N,D]`. A mask of −∞ switches a key off, and a row that sees no key, fully masked, is 0, as
 * are its gradients, where torch gives NaN; under a mask of finite numbers, however low, a row sees all of them, as in torch.
 * What is NaN or ∞ in q or k makes the rows that meet it NaN.
 * In the layout `BNHD` q is `[B,N,H,D]`, k and v are `[B,M,H,D]` -> `[B,N,H,D]`; the mask stays. Neither layout is copied.
 * @throws {ShapeError} if shapes do not fit @throws {ConfigError} if an option is none
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions('scaledDotProductAttention', options, ranges)
  const { mask, causal = false, scale, layout = 'BHND' } = options
  const width = q.shape.at(-1)
  if (width === undefined) throw new ShapeError('attention: expected q of rank 4, got a scalar')
  const inputs = mask ? [q, k, v, mask] : [q, k, v]
  const attrs = { scale: scale ?? 1 / Math.sqrt(width), causal, hasMask: mask !== undefined, layout }
  if (width <= maxHeadChannels) return apply1(attention, inputs, attrs)
  checkAttention('attention', inputs, attrs)
  const heads = (x: Tensor): Tensor => (layout === 'BNHD' ? x.permute([0, 2, 1, 3]) : x)
  return heads(composedAttention(heads(q), heads(k), heads(v), { mask, causal, scale: attrs.scale }))
}

/**
 * Softmax over the last axis. −∞ gets 0, and a row of nothing else, fully masked, is 0 throughout where torch gives NaN; a row with NaN
 * or ∞ is NaN throughout, as in torch.
 */
export function softmax(x: Tensor): Tensor {
  return apply1(softmaxOp, [x])
}

/**
 * `log Σ exp` over the last axis, kept as size 1; stable. A row whose largest element is infinite or NaN gives that element, to which its
 * gradient goes: ∞ if any is ∞, −∞ if all are.
 */
export function logSumExp(x: Tensor): Tensor {
  const top = x.max({ axes: -1, keepDims: true })
  const finite = top.sub(top).eq(0)
  // Subtracted and added again, the maximum has no part in the gradient.
  const shift = apply1(stopGradient, [where(finite, top, 0)])
  const sum = where(finite, x, 0).sub(shift).exp().sum({ axes: -1, keepDims: true })
  return where(finite, sum.log().add(shift), top)
}

/** Logarithm of the softmax over the last axis. */
export function logSoftmax(x: Tensor): Tensor {
  return x.sub(logSumExp(x))
}

/** `log σ(x)`, stable for large |x|. */
export function logSigmoid(x: Tensor): Tensor {
  return x.neg().softplus().neg()
}
