import { type Tensor, upsampleNearest2d } from '@antipode/core'
import { Conv2d, GroupNorm, type Initialiser, type Layer, Linear, type LinearLayer, Module } from '@antipode/core/nn'
import { atLeast, checkOptions, required, whole } from '@antipode/core/options'

/** Sizes of a {@link ResnetBlock2D}. */
export interface ResnetSizes {
  readonly inChannels: number
  readonly outChannels: number
  /** Width of the time embedding; none by default, and then the block takes none. */
  readonly timeWidth?: number
  readonly groups: number
  readonly eps: number
}

/** Two convolutions, each after group norm and SiLU, beside a shortcut; the time embedding enters between them. */
export class ResnetBlock2D extends Module {
  readonly norm1: GroupNorm
  readonly conv1: Layer
  readonly timeEmbProj: LinearLayer | undefined
  readonly norm2: GroupNorm
  readonly conv2: Layer
  readonly convShortcut: Layer | undefined
  readonly outChannels: number

  /**
   * @throws {ConfigError} if a size is not whole and 1 or more, groups do not divide both channels, or one is unknown
   */
  constructor(init: Initialiser, sizes: ResnetSizes) {
    super()
    const size = required(whole(1))
    checkOptions('ResnetBlock2D', sizes, {
      inChannels: size, outChannels: size, timeWidth: whole(1), groups: size, eps: required(atLeast(0)),
    })
    const { inChannels, outChannels, timeWidth, groups, eps } = sizes
    this.outChannels = outChannels
    this.norm1 = GroupNorm.of(init, groups, inChannels, { eps })
    this.conv1 = Conv2d.of(init, inChannels, outChannels, 3, { padding: 1 })
    this.timeEmbProj = timeWidth === undefined ? undefined : Linear.of(init, timeWidth, outChannels)
    this.norm2 = GroupNorm.of(init, groups, outChannels, { eps })
    this.conv2 = Conv2d.of(init, outChannels, outChannels, 3, { padding: 1 })
    this.convShortcut = inChannels === outChannels ? undefined : Conv2d.of(init, inChannels, outChannels, 1)
  }

  /** x `[B,C,H,W]`; time `[B, timeWidth]` is the embedding *after* its SiLU, which all blocks share. */
  forward(x: Tensor, time?: Tensor): Tensor {
    return this.shifted(x, this.timeEmbProj && time ? [this.timeEmbProj.forward(time)] : [])
  }

  /** The same with what the block's own layer made of the embedding, as terms `[B,outChannels]` or `[outChannels]`. */
  shifted(x: Tensor, shift: readonly Tensor[]): Tensor {
    let h = this.conv1.forward(this.norm1.forward(x, { activation: 'silu' }))
    for (const term of shift) h = h.add(term.unsqueeze(-1).unsqueeze(-1))
    h = this.conv2.forward(this.norm2.forward(h, { activation: 'silu' }))
    return h.add(this.convShortcut?.forward(x) ?? x)
  }
}

/** Halves the resolution by a strided convolution. */
export class Downsample2D extends Module {
  readonly conv: Layer

  /**
   * @param options.padding 1, the default, or 0 for zeros below and to the right only @throws {ConfigError} on any
   * other
   */
  constructor(init: Initialiser, channels: number, options: { readonly padding?: number } = {}) {
    super()
    checkOptions('Downsample2D', options, { padding: whole(0, 1) })
    const { padding = 1 } = options
    // Without padding of its own, an autoencoder pads below and to the right only.
    this.conv = Conv2d.of(init, channels, channels, 3, { stride: 2, padding: padding === 0 ? [0, 0, 1, 1] : padding })
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(x)
  }
}

/** Doubles the resolution by repetition and a convolution. */
export class Upsample2D extends Module {
  readonly conv: Layer

  constructor(init: Initialiser, channels: number) {
    super()
    this.conv = Conv2d.of(init, channels, channels, 3, { padding: 1 })
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(upsampleNearest2d(x))
  }
}
