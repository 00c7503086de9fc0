import { ConfigError, type Tensor } from '@antipode/core'
import {
  type AttentionCall, Conv2d, GroupNorm, type Initialiser, type Layer, LayerNorm, Linear, Module, MultiHeadAttention,
} from '@antipode/core/nn'
import { atLeast, checkOptions, flag, required, whole } from '@antipode/core/options'
import { type Compute, Pass } from './pass.ts'

const size = required(whole(1))
/** What layers run by that are called alone. */
const plainPass = /* @__PURE__ */ new Pass()

/**
 * One linear layer whose output's first half is gated by the GELU of its second. Source: Shazeer 2020, "GLU Variants".
 */
export class GEGLU extends Module {
  readonly proj: Layer

  constructor(init: Initialiser, inputs: number, outputs: number) {
    super()
    this.proj = Linear.of(init, inputs, 2 * outputs)
  }

  forward(x: Tensor): Tensor {
    const both = this.proj.forward(x)
    const width = (both.shape.at(-1) ?? 0) / 2
    return both.slice(-1, 0, width).mul(both.slice(-1, width).gelu())
  }
}

/** GEGLU to four times the width and back; the gap in `net` is the dropout of the original. */
export class FeedForward extends Module {
  readonly net: readonly [Layer, undefined, Layer]

  constructor(init: Initialiser, width: number) {
    super()
    this.net = [new GEGLU(init, width, 4 * width), undefined, Linear.of(init, 4 * width, width)]
  }

  forward(x: Tensor): Tensor {
    return this.net[2].forward(this.net[0].forward(x))
  }
}

/** Sizes of transformer blocks: whole, 1 or more. */
export interface TransformerSizes {
  readonly width: number
  readonly heads: number
  readonly headWidth: number
  /** Width of the context tokens; `width` by default, as for self-attention. */
  readonly contextWidth?: number
  /** Whether the first attention looks at the context too, instead of at its own tokens; default false. */
  readonly onlyCross?: boolean
}

/** Self-attention, cross-attention and feed-forward, each after a layer norm and beside a shortcut. */
export class BasicTransformerBlock extends Module {
  readonly norm1: LayerNorm
  readonly attn1: MultiHeadAttention
  readonly norm2: LayerNorm
  readonly attn2: MultiHeadAttention
  readonly norm3: LayerNorm
  readonly ff: FeedForward
  readonly onlyCross: boolean

  /** @throws {ConfigError} if a size is not whole and 1 or more, or unknown */
  constructor(init: Initialiser, sizes: TransformerSizes) {
    super()
    checkOptions('BasicTransformerBlock', sizes, {
      width: size, heads: size, headWidth: size, contextWidth: whole(1), onlyCross: flag,
    })
    const { width, heads, headWidth, contextWidth = width, onlyCross = false } = sizes
    this.onlyCross = onlyCross
    this.norm1 = LayerNorm.of(init, width)
    const first = onlyCross ? contextWidth : width
    this.attn1 = new MultiHeadAttention(init, { width, heads, headWidth, contextWidth: first })
    this.norm2 = LayerNorm.of(init, width)
    this.attn2 = new MultiHeadAttention(init, { width, heads, headWidth, contextWidth })
    this.norm3 = LayerNorm.of(init, width)
    this.ff = new FeedForward(init, width)
  }

  /** x `[B,N,width]`, context `[B,M,contextWidth]`; without one the second attention looks at x as well. */
  forward(x: Tensor, context?: Tensor, pass: Pass = plainPass): Tensor {
    const attend = (attention: MultiHeadAttention): Compute => (tokens, seen) =>
      attention.forward(tokens as Tensor, seen)
    const first = this.norm1.forward(x)
    let h = x.add(pass.run(this.attn1, this.onlyCross && context ? [first, context] : [first], attend(this.attn1)))
    const query = this.norm2.forward(h)
    h = h.add(pass.run(this.attn2, [query, context ?? query], attend(this.attn2)))
    return h.add(pass.run(this.ff, [this.norm3.forward(h)], (tokens) => this.ff.forward(tokens as Tensor)))
  }
}

/** Sizes of a {@link Transformer2DModel}. */
export interface Transformer2DSizes {
  readonly channels: number
  readonly heads: number
  readonly headWidth: number
  readonly layers: number
  readonly contextWidth: number
  readonly groups: number
  /** Whether the projections in and out are linear layers instead of 1×1 convolutions, which are the same map. */
  readonly linearProjection: boolean
  /** Of each of its blocks: see {@link TransformerSizes}. */
  readonly onlyCross?: boolean
}

/** Transformer blocks over the pixels of an image, beside a shortcut. */
export class Transformer2DModel extends Module {
  readonly norm: GroupNorm
  readonly projIn: Layer
  readonly transformerBlocks: readonly BasicTransformerBlock[]
  readonly projOut: Layer
  readonly linearProjection: boolean
  readonly channels: number

  /**
   * @throws {ConfigError} if a size is not whole and 1 or more, groups do not divide the channels, or one is unknown
   */
  constructor(init: Initialiser, sizes: Transformer2DSizes) {
    super()
    checkOptions('Transformer2DModel', sizes, {
      channels: size, heads: size, headWidth: size, layers: size, contextWidth: size, groups: size,
      linearProjection: required(flag), onlyCross: flag,
    })
    const { channels, heads, headWidth, layers, contextWidth, groups, linearProjection, onlyCross = false } = sizes
    const width = heads * headWidth
    const projection = (from: number, to: number): Layer =>
      linearProjection ? Linear.of(init, from, to) : Conv2d.of(init, from, to, 1)
    this.linearProjection = linearProjection
    this.channels = channels
    this.norm = GroupNorm.of(init, groups, channels, { eps: 1e-6 })
    this.projIn = projection(channels, width)
    const block = { width, heads, headWidth, contextWidth, onlyCross }
    this.transformerBlocks = Array.from({ length: layers }, () => new BasicTransformerBlock(init, block))
    this.projOut = projection(width, channels)
  }

  /** x `[B,C,H,W]`, context `[B,M,contextWidth]` */
  forward(x: Tensor, context?: Tensor, pass: Pass = plainPass): Tensor {
    const [batch = 1, , height = 1, width = 1] = x.shape
    // b c h w -> b (h w) c, and back
    const tokens = (t: Tensor): Tensor => t.permute([0, 2, 3, 1]).reshape([batch, height * width, -1])
    const image = (t: Tensor): Tensor => t.reshape([batch, height, width, -1]).permute([0, 3, 1, 2])
    const h = this.norm.forward(x)
    let y = this.linearProjection ? this.projIn.forward(tokens(h)) : tokens(this.projIn.forward(h))
    const inside = pass.over([height, width])
    for (const block of this.transformerBlocks) {
      y = inside.run(block, [y], (x) => block.forward(x as Tensor, context, inside))
    }
    const end = this.linearProjection ? image(this.projOut.forward(y)) : this.projOut.forward(image(y))
    return end.add(x)
  }
}

/** Self-attention over the pixels of an image, after a group norm and beside a shortcut. */
export class AttentionBlock2D extends MultiHeadAttention {
  readonly groupNorm: GroupNorm
  readonly channels: number

  /** @throws {ConfigError} if head width or groups do not divide the channels, or a size is unknown */
  constructor(init: Initialiser, sizes: { channels: number; headWidth: number; groups: number; eps: number }) {
    const ranges = { channels: size, headWidth: size, groups: size, eps: required(atLeast(0)) }
    checkOptions('AttentionBlock2D', sizes, ranges)
    const { channels, headWidth, groups, eps } = sizes
    if (channels % headWidth !== 0) {
      throw new ConfigError(
        `AttentionBlock2D: expected a headWidth that divides the channels, got ${headWidth} for ${channels}`,
      )
    }
    super(init, { width: channels, heads: channels / headWidth, headWidth, bias: true })
    this.channels = channels
    this.groupNorm = GroupNorm.of(init, groups, channels, { eps })
  }

  /** x `[B,C,H,W]`, which has no context but itself. */
  override forward(x: Tensor, _context?: Tensor, options: AttentionCall = {}): Tensor {
    const [batch = 1, channels = 1] = x.shape
    const tokens = this.groupNorm.forward(x).reshape([batch, channels, -1]).transpose() // b c h w -> b (h w) c
    return super.forward(tokens, tokens, options).transpose().reshape(x.shape).add(x)
  }
}
