import type { Tensor } from '@antipode/core'
import { Conv2d, GroupNorm, type Initialiser, Module } from '@antipode/core/nn'
import { AttentionBlock2D, Downsample2D, ResnetBlock2D, Upsample2D } from '../layers/index.ts'
import type { ResolvedAutoencoderKLConfig } from './config.ts'

const eps = 1e-6

/** Two resnets with self-attention of one head between them. */
class MidBlock extends Module {
  readonly attentions: readonly AttentionBlock2D[]
  readonly resnets: readonly ResnetBlock2D[]

  constructor(init: Initialiser, channels: number, { groups, midAttention }: ResolvedAutoencoderKLConfig) {
    super()
    const resnet = (): ResnetBlock2D => new ResnetBlock2D(init, { inChannels: channels, outChannels: channels, groups, eps })
    this.attentions = midAttention ? [new AttentionBlock2D(init, { channels, headWidth: channels, groups, eps })] : []
    this.resnets = [resnet(), resnet()]
  }

  forward(x: Tensor): Tensor {
    const [first, second] = this.resnets as readonly [ResnetBlock2D, ResnetBlock2D]
    return second.forward(this.attentions.reduce((h, attention) => attention.forward(h), first.forward(x)))
  }
}

/** Resnets, and after them the resolution halved or doubled. */
class CoderBlock extends Module {
  readonly resnets: readonly ResnetBlock2D[]
  readonly downsamplers: readonly Downsample2D[]
  readonly upsamplers: readonly Upsample2D[]

  constructor(init: Initialiser, sizes: { readonly from: number; readonly to: number; readonly layers: number; readonly groups: number; readonly scale: 'down' | 'up' | undefined }) {
    super()
    const { from, to, layers, groups, scale } = sizes
    this.resnets = Array.from({ length: layers }, (_, i) => new ResnetBlock2D(init, { inChannels: i === 0 ? from : to, outChannels: to, groups, eps }))
    // Zeros below and to the right only.
    this.downsamplers = scale === 'down' ? [new Downsample2D(init, to, { padding: 0 })] : []
    this.upsamplers = scale === 'up' ? [new Upsample2D(init, to)] : []
  }

  forward(x: Tensor): Tensor {
    return [...this.resnets, ...this.downsamplers, ...this.upsamplers].reduce((h, layer) => layer.forward(h), x)
  }
}

/** Images `[B, in_channels, H, W]` to mean and log-variance of latents, `[B, 2·latent_channels, H/f, W/f]`, before `quant_conv`. */
export class Encoder extends Module {
  readonly convIn: Conv2d
  readonly downBlocks: readonly CoderBlock[]
  readonly midBlock: MidBlock
  readonly convNormOut: GroupNorm
  readonly convOut: Conv2d

  constructor(init: Initialiser, c: ResolvedAutoencoderKLConfig) {
    super()
    const { channels, groups, layers } = c
    const [first, last] = [channels[0]!, channels.at(-1)!]
    this.convIn = Conv2d.of(init, c.inChannels, first, 3, { padding: 1 })
    this.downBlocks = channels.map((to, i) => new CoderBlock(init, { from: channels[Math.max(0, i - 1)]!, to, layers, groups, scale: i < channels.length - 1 ? 'down' : undefined }))
    this.midBlock = new MidBlock(init, last, c)
    this.convNormOut = GroupNorm.of(init, groups, last, { eps })
    this.convOut = Conv2d.of(init, last, 2 * c.latentChannels, 3, { padding: 1 })
  }

  forward(x: Tensor): Tensor {
    const h = this.midBlock.forward(this.downBlocks.reduce((y, block) => block.forward(y), this.convIn.forward(x)))
    return this.convOut.forward(this.convNormOut.forward(h, { activation: 'silu' }))
  }
}

/** Latents `[B, latent_channels, h, w]`, after `post_quant_conv`, to images `[B, out_channels, h·f, w·f]`. */
export class Decoder extends Module {
  readonly convIn: Conv2d
  readonly midBlock: MidBlock
  readonly upBlocks: readonly CoderBlock[]
  readonly convNormOut: GroupNorm
  readonly convOut: Conv2d

  constructor(init: Initialiser, c: ResolvedAutoencoderKLConfig) {
    super()
    const { groups, layers } = c
    const channels = c.channels.toReversed()
    const [first, last] = [channels[0]!, channels.at(-1)!]
    this.convIn = Conv2d.of(init, c.latentChannels, first, 3, { padding: 1 })
    this.midBlock = new MidBlock(init, first, c)
    this.upBlocks = channels.map((to, i) => new CoderBlock(init, { from: channels[Math.max(0, i - 1)]!, to, layers: layers + 1, groups, scale: i < channels.length - 1 ? 'up' : undefined }))
    this.convNormOut = GroupNorm.of(init, groups, last, { eps })
    this.convOut = Conv2d.of(init, last, c.outChannels, 3, { padding: 1 })
  }

  forward(z: Tensor): Tensor {
    const h = this.upBlocks.reduce((y, block) => block.forward(y), this.midBlock.forward(this.convIn.forward(z)))
    return this.convOut.forward(this.convNormOut.forward(h, { activation: 'silu' }))
  }
}
