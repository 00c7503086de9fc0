import { conv2d, type Tensor } from '@antipode/core'
import { affine, GroupNorm, type Initialiser, Module } from '@antipode/core/nn'
import { checkOptions, required, whole } from '@antipode/core/options'
import type { Layer } from './layer.ts'
import { checkGroups, videoShape } from './layout.ts'

/**
 * A residual chain of layers on a video: `x + stage_n(… stage_1(x))`, x `[B,C,F,H,W]`. The functional form of
 * {@link TemporalConv}, over layers of your own.
 */
export function temporalConv(x: Tensor, stages: readonly Layer[]): Tensor {
  return x.add(stages.reduce((h, stage) => stage.forward(h), x))
}

/** Convolution of kernel (3,1,1): each pixel sees itself in the frame before and after; beyond the ends are zeros. */
class FrameConv extends Module {
  /** `[O, C, 3, 1, 1]`, as `torch.nn.Conv3d` keeps it */
  readonly weight: Tensor
  /** `[O]` */
  readonly bias: Tensor

  constructor(weight: Tensor, bias: Tensor) {
    super()
    this.weight = weight
    this.bias = bias
  }

  /** Fresh parameters, as `torch.nn.Conv3d` draws them. */
  static of(init: Initialiser, channels: number): FrameConv {
    const { weight, bias } = affine(init, [channels, channels, 3, 1, 1], true)
    return new FrameConv(weight, bias as Tensor) // affine was asked for a bias
  }

  static zero(init: Initialiser, channels: number): FrameConv {
    return new FrameConv(init.filled([channels, channels, 3, 1, 1], 0), init.filled([channels], 0))
  }

  /** `[B,C,F,H,W] -> [B,O,F,H,W]` */
  forward(x: Tensor): Tensor {
    const { batch, channels, frames, height, width } = videoShape('temporalConv', x)
    const plane = x.reshape([batch, channels, frames, height * width]) // b c f h w -> b c f (h w)
    const [filters = 0] = this.weight.shape
    const y = conv2d(plane, this.weight.reshape([filters, channels, 3, 1]), { bias: this.bias, padding: [1, 0] })
    return y.reshape([batch, filters, frames, height, width]) // b c f (h w) -> b c f h w
  }
}

/** Group norm over all frames of a clip together, SiLU, convolution along the frames. */
class Stage extends Module implements Layer {
  readonly 0: GroupNorm
  readonly 2?: FrameConv
  readonly 3?: FrameConv

  /** @param at where the convolution stands in the original's list, after a dropout that inference has no use for */
  constructor(norm: GroupNorm, conv: FrameConv, at: 2 | 3) {
    super()
    this[0] = norm
    this[at] = conv
  }

  forward(x: Tensor): Tensor {
    const conv = this[2] ?? (this[3] as FrameConv)
    return conv.forward(this[0].forward(x).silu())
  }
}

/** Sizes of a {@link TemporalConv}: whole, 1 or more. */
export interface TemporalConvSizes {
  readonly channels: number
  /** Groups of its norms; must divide the channels. 32 by default. */
  readonly groups?: number
}

/**
 * Four convolutions along the frames with a residual, `[B,C,F,H,W] -> [B,C,F,H,W]`: group norm over the whole clip, SiLU
 * and a (3,1,1) convolution, four times. The last convolution starts at zero, so a new block changes nothing. Parameter
 * names and shapes are those of `TemporalConvLayer` in diffusers (`conv1.0.weight`, `conv1.2.weight`, `conv2.3.weight`, …),
 * which is the block of ModelScope and VideoCrafter2 (https://arxiv.org/abs/2308.06571, 3.2).
 */
export class TemporalConv extends Module implements Layer {
  readonly conv1: Stage
  readonly conv2: Stage
  readonly conv3: Stage
  readonly conv4: Stage

  /** @throws {ConfigError} if `groups` does not divide the channels, or a size is unknown */
  constructor(init: Initialiser, sizes: TemporalConvSizes) {
    super()
    checkOptions('TemporalConv', sizes, { channels: required(whole(1)), groups: whole(1) })
    const { channels, groups = 32 } = sizes
    checkGroups('TemporalConv', channels, groups)
    const stage = (at: 2 | 3, conv: FrameConv): Stage => new Stage(GroupNorm.of(init, groups, channels), conv, at)
    this.conv1 = stage(2, FrameConv.of(init, channels))
    this.conv2 = stage(3, FrameConv.of(init, channels))
    this.conv3 = stage(3, FrameConv.of(init, channels))
    this.conv4 = stage(3, FrameConv.zero(init, channels))
  }

  forward(x: Tensor): Tensor {
    return temporalConv(x, [this.conv1, this.conv2, this.conv3, this.conv4])
  }
}
