import { avgPool2d, split, type Tensor, upsampleNearest2d } from '@antipode/core'
import { Conv2d, GroupNorm, type Initialiser, type Layer, Linear, type LinearLayer, Module } from '@antipode/core/nn'
import { atLeast, checkOptions, flag, oneOf, positive, required, whole } from '@antipode/core/options'
import { type Activation, activate, activations, normActivate } from './activation.ts'

/** Sizes of a {@link ResnetBlock2D}. */
export interface ResnetSizes {
  readonly inChannels: number
  readonly outChannels: number
  /** Width of the time embedding; none by default, and then the block takes none. */
  readonly timeWidth?: number
  readonly groups: number
  readonly eps: number
  /** Before each convolution; SiLU by default. */
  readonly activation?: Activation
  /** Whether the time embedding scales and shifts what the second norm gives, instead of being added before it. */
  readonly scaleShift?: boolean
  /** By what the sum with the shortcut is divided; 1 by default. */
  readonly outputScale?: number
  /** Whether the resolution is halved or doubled before the first convolution; neither by default. */
  readonly resample?: 'down' | 'up'
}

/** Two convolutions, each after group norm and activation, beside a shortcut; the embedding enters between them. */
export class ResnetBlock2D extends Module {
  readonly norm1: GroupNorm
  readonly conv1: Layer
  readonly timeEmbProj: LinearLayer | undefined
  readonly norm2: GroupNorm
  readonly conv2: Layer
  readonly convShortcut: Layer | undefined
  readonly outChannels: number
  readonly activation: Activation
  readonly scaleShift: boolean
  readonly outputScale: number
  readonly resample: 'down' | 'up' | undefined

  /**
   * @throws {ConfigError} if a size is not whole and 1 or more, groups do not divide both channels, or one is unknown
   */
  constructor(init: Initialiser, sizes: ResnetSizes) {
    super()
    const size = required(whole(1))
    checkOptions('ResnetBlock2D', sizes, {
      inChannels: size, outChannels: size, timeWidth: whole(1), groups: size, eps: required(atLeast(0)),
      activation: oneOf(...activations), scaleShift: flag, outputScale: positive, resample: oneOf('down', 'up'),
    })
    const { inChannels, outChannels, timeWidth, groups, eps, scaleShift = false } = sizes
    const timeOutputs = scaleShift ? 2 * outChannels : outChannels
    this.outChannels = outChannels
    this.activation = sizes.activation ?? 'silu'
    this.scaleShift = scaleShift
    this.outputScale = sizes.outputScale ?? 1
    this.resample = sizes.resample
    this.norm1 = GroupNorm.of(init, groups, inChannels, { eps })
    this.conv1 = Conv2d.of(init, inChannels, outChannels, 3, { padding: 1 })
    this.timeEmbProj = timeWidth === undefined ? undefined : Linear.of(init, timeWidth, timeOutputs)
    this.norm2 = GroupNorm.of(init, groups, outChannels, { eps })
    this.conv2 = Conv2d.of(init, outChannels, outChannels, 3, { padding: 1 })
    this.convShortcut = inChannels === outChannels ? undefined : Conv2d.of(init, inChannels, outChannels, 1)
  }

  /** x `[B,C,H,W]`; time `[B, timeWidth]` is the embedding *after* its activation, which all blocks share. */
  forward(x: Tensor, time?: Tensor): Tensor {
    return this.shifted(x, this.timeEmbProj && time ? [this.timeEmbProj.forward(time)] : [])
  }

  /**
   * The same with what the block's own layer made of the embedding, as terms `[B,outChannels]` or `[outChannels]`;
   * twice as wide, scales before shifts, where it scales and shifts.
   */
  shifted(x: Tensor, terms: readonly Tensor[]): Tensor {
    const h = this.resampled(normActivate(this.norm1, x, this.activation))
    const across = this.resampled(x)
    const inner = this.timed(this.conv1.forward(h), terms)
    const sum = this.conv2.forward(inner).add(this.convShortcut?.forward(across) ?? across)
    return this.outputScale === 1 ? sum : sum.div(this.outputScale)
  }

  /** What the second convolution is given: the second norm and its activation, and where the time enters. */
  private timed(h: Tensor, terms: readonly Tensor[]): Tensor {
    const images = terms.map((term) => term.unsqueeze(-1).unsqueeze(-1))
    if (!this.scaleShift || images.length === 0) {
      return normActivate(this.norm2, images.reduce((sum, term) => sum.add(term), h), this.activation)
    }
    const both = images.reduce((sum, term) => sum.add(term))
    const [scale, shift] = split(both, 2, -3) as [Tensor, Tensor]
    return activate(this.norm2.forward(h).mul(scale.add(1)).add(shift), this.activation)
  }

  private resampled(x: Tensor): Tensor {
    if (!this.resample) return x
    return this.resample === 'down' ? avgPool2d(x) : upsampleNearest2d(x)
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

  /** x `[B,C,H,W]`; what is doubled is cut to `sides`, [height, width], where these are given and smaller. */
  forward(x: Tensor, sides: readonly number[] = []): Tensor {
    const cut = (h: Tensor, side: number, i: number): Tensor => (h.shape[i + 2] === side ? h : h.slice(i + 2, 0, side))
    return this.conv.forward(sides.reduce(cut, upsampleNearest2d(x)))
  }
}
