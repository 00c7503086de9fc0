import { ConfigError, type Tensor } from '@antipode/core'
import { GroupNorm, type Initialiser, LayerNorm, Linear, Module, MultiHeadAttention } from '@antipode/core/nn'
import { checkOptions, flag, required, whole } from '@antipode/core/options'
import { FeedForward } from '@antipode/models'
import type { Layer } from './layer.ts'
import { checkGroups, videoShape } from './layout.ts'
import { framePositions } from './positions.ts'

/** Layers of {@link temporalAttention}. */
export interface TemporalAttentionLayers {
  /** `[B,C,F,H,W]`, before the tokens are cut */
  readonly norm: Layer
  /** Tokens `[B·H·W, F, C] -> [B·H·W, F, D]` */
  readonly projIn: Layer
  /** Tokens `[B·H·W, F, D]`, applied one after the other */
  readonly transformerBlocks: readonly Layer[]
  /** Tokens `[B·H·W, F, D] -> [B·H·W, F, C]` */
  readonly projOut: Layer
}

/**
 * Lets every pixel of a clip look at itself in the other frames: `x + projOut(blocks(projIn(norm(x))))` over sequences
 * of frames, one for each pixel. x `[B,C,F,H,W] -> [B,C,F,H,W]`. The functional form of {@link TemporalAttention}, over
 * layers of your own. @throws {ShapeError} unless x has five axes
 */
export function temporalAttention(x: Tensor, layers: TemporalAttentionLayers): Tensor {
  const { norm, projIn, transformerBlocks, projOut } = layers
  const { batch, channels, frames, height, width } = videoShape('temporalAttention', x)
  const pixels = batch * height * width
  const tokens = norm.forward(x).permute([0, 3, 4, 2, 1]).reshape([pixels, frames, channels]) // b c f h w -> (b h w) f c
  const y = projOut.forward(transformerBlocks.reduce((h, block) => block.forward(h), projIn.forward(tokens)))
  const video = y.reshape([batch, height, width, frames, channels]).permute([0, 4, 3, 1, 2]) // (b h w) f c -> b c f h w
  return video.add(x)
}

/** Pre-norm transformer block over frames; positions are added to what the attention reads, not to what flows on. */
class FrameTransformerBlock extends Module implements Layer {
  readonly norm1: LayerNorm
  readonly attn1: MultiHeadAttention
  readonly norm3?: LayerNorm
  readonly ff?: FeedForward

  constructor(init: Initialiser, channels: number, heads: number, feedForward: boolean) {
    super()
    this.norm1 = LayerNorm.of(init, channels)
    this.attn1 = new MultiHeadAttention(init, { width: channels, heads, headWidth: channels / heads })
    if (feedForward) {
      this.norm3 = LayerNorm.of(init, channels)
      this.ff = new FeedForward(init, channels)
    }
  }

  /** `[N, F, C] -> [N, F, C]` */
  forward(x: Tensor): Tensor {
    const [, frames = 1, channels = 1] = x.shape
    const read = this.norm1.forward(x).add(framePositions(x.device, frames, channels, x.dtype))
    const h = x.add(this.attn1.forward(read))
    return this.ff && this.norm3 ? h.add(this.ff.forward(this.norm3.forward(h))) : h
  }
}

/** Sizes of a {@link TemporalAttention}: whole, 1 or more. */
export interface TemporalAttentionSizes {
  /** Even, for the positions. */
  readonly channels: number
  /** Must divide the channels; 8 by default. */
  readonly heads?: number
  /** Groups of its norm; must divide the channels. 32 by default. */
  readonly groups?: number
  /** Whether a GEGLU network follows the attention; default true. */
  readonly feedForward?: boolean
}

/**
 * Self-attention along the frames, `[B,C,F,H,W] -> [B,C,F,H,W]`: group norm over the whole clip, `proj_in`, one transformer
 * block with sinusoidal frame positions, `proj_out`, residual. `proj_out` starts at zero, so a new block changes
 * nothing. Any number of frames; a model is at its best at those it was trained with. Parameter names follow
 * `TransformerTemporalModel` and the motion modules of diffusers (`norm`, `proj_in`, `transformer_blocks.0.norm1`,
 * `.attn1.to_q`, …, `.norm3`, `.ff.net.0.proj`, `proj_out`); AnimateDiff, https://arxiv.org/abs/2307.04725, 4.2.
 */
export class TemporalAttention extends Module implements Layer, TemporalAttentionLayers {
  readonly norm: GroupNorm
  readonly projIn: Layer
  readonly transformerBlocks: readonly [FrameTransformerBlock]
  readonly projOut: Layer

  /** @throws {ConfigError} if heads or groups do not divide the channels, the channels are odd, or a size is unknown */
  constructor(init: Initialiser, sizes: TemporalAttentionSizes) {
    super()
    checkOptions('TemporalAttention', sizes, { channels: required(whole(1)), heads: whole(1), groups: whole(1), feedForward: flag })
    const { channels, heads = 8, groups = 32, feedForward = true } = sizes
    checkGroups('TemporalAttention', channels, groups)
    if (channels % 2 !== 0 || channels % heads !== 0) {
      throw new ConfigError(
        `TemporalAttention: expected heads that divide an even number of channels, got ${heads} for ${channels}; ` +
          'pass { heads }',
      )
    }
    this.norm = GroupNorm.of(init, groups, channels, { eps: 1e-6 }) // eps of the motion modules in diffusers
    this.projIn = Linear.of(init, channels, channels)
    this.transformerBlocks = [new FrameTransformerBlock(init, channels, heads, feedForward)]
    this.projOut = new Linear(init.filled([channels, channels], 0), init.filled([channels], 0))
  }

  forward(x: Tensor): Tensor {
    return temporalAttention(x, this)
  }
}
