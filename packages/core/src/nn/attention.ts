import { scaledDotProductAttention } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { anObject, callable, checkOptions, flag, required, whole } from '../options/index.ts'
import type { Initialiser } from './initialiser.ts'
import type { Layer } from './layer.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** Sizes of a {@link MultiHeadAttention}: whole, 1 or more. */
export interface AttentionSizes {
  /** Width of the tokens that ask. */
  readonly width: number
  readonly heads: number
  readonly headWidth: number
  /** Width of the tokens that are looked at; `width` by default. */
  readonly contextWidth?: number
  /** Whether queries, keys and values have a bias; default false. */
  readonly bias?: boolean
}

/** Options of one attention pass. */
export interface AttentionCall {
  /** Added to the scores before the softmax, `[1|B, 1|heads, N, M]`. */
  readonly mask?: Tensor
  /** Whether query i sees keys up to i only. */
  readonly causal?: boolean
  /**
   * What becomes of queries `[B,N,H,D]`, keys and values `[B,M,H,D]`, in place of {@link scaledDotProductAttention}, whose
   * options it is given.
   */
  readonly attend?: typeof scaledDotProductAttention
}

const callRanges = { mask: anObject('a tensor'), causal: flag, attend: callable }

/**
 * Multi-head attention (Vaswani et al. 2017, section 3.2) with diffusers' parameter names: `to_q`, `to_k`, `to_v`,
 * `to_out.0`.
 */
export class MultiHeadAttention extends Module {
  readonly toQ: Layer
  readonly toK: Layer
  readonly toV: Layer
  readonly toOut: readonly [Layer]
  readonly heads: number

  /** @throws {ConfigError} if a size is not whole and 1 or more, or unknown */
  constructor(init: Initialiser, sizes: AttentionSizes) {
    super()
    checkOptions('MultiHeadAttention', sizes, {
      width: required(whole(1)), heads: required(whole(1)), headWidth: required(whole(1)), contextWidth: whole(1), bias: flag,
    })
    const { width, heads, headWidth, contextWidth = width, bias = false } = sizes
    const inner = heads * headWidth
    this.heads = heads
    this.toQ = Linear.of(init, width, inner, { bias })
    this.toK = Linear.of(init, contextWidth, inner, { bias })
    this.toV = Linear.of(init, contextWidth, inner, { bias })
    this.toOut = [Linear.of(init, inner, width)]
  }

  /** x `[B,N,width]`, context `[B,M,contextWidth]` (x itself by default) -> `[B,N,width]`. */
  forward(x: Tensor, context: Tensor = x, options: AttentionCall = {}): Tensor {
    checkOptions('MultiHeadAttention', options, callRanges)
    const { attend = scaledDotProductAttention, ...masking } = options
    const split = (t: Tensor): Tensor => t.reshape([...t.shape.slice(0, -1), this.heads, -1]) // b n (h d) -> b n h d
    const [keys, values] = [split(this.toK.forward(context)), split(this.toV.forward(context))]
    const y = attend(split(this.toQ.forward(x)), keys, values, { ...masking, layout: 'BNHD' })
    return this.toOut[0].forward(y.reshape([...x.shape.slice(0, -1), -1])) // b n h d -> b n (h d)
  }
}
