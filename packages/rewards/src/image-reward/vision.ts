import { concat, scaledDotProductAttention, type Tensor } from '@antipode/core'
import { Conv2d, type Initialiser, LayerNorm, Linear, Module } from '@antipode/core/nn'
import type { Sizes } from './config.ts'

const eps = 1e-6

class PatchEmbed extends Module {
  readonly proj: Conv2d

  constructor(init: Initialiser, { patchSize, width }: Sizes['vision']) {
    super()
    this.proj = Conv2d.of(init, 3, width, patchSize, { stride: patchSize })
  }
}

class Attention extends Module {
  readonly qkv: Linear
  readonly proj: Linear
  readonly heads: number

  constructor(init: Initialiser, { width, heads }: Sizes['vision']) {
    super()
    this.qkv = Linear.of(init, width, 3 * width)
    this.proj = Linear.of(init, width, width)
    this.heads = heads
  }

  forward(x: Tensor): Tensor {
    const [batch = 1, tokens = 1] = x.shape
    const all = this.qkv.forward(x).reshape([batch, tokens, 3, this.heads, -1]) // b n (s h d) -> b n s h d
    const part = (k: number): Tensor => all.slice(2, k, k + 1).squeeze(2)
    const y = scaledDotProductAttention(part(0), part(1), part(2), { layout: 'BNHD' })
    return this.proj.forward(y.reshape(x.shape))
  }
}

class FeedForward extends Module {
  readonly fc1: Linear
  readonly fc2: Linear

  constructor(init: Initialiser, width: number) {
    super()
    this.fc1 = Linear.of(init, width, 4 * width)
    this.fc2 = Linear.of(init, 4 * width, width)
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).gelu())
  }
}

class Block extends Module {
  readonly norm1: LayerNorm
  readonly attn: Attention
  readonly norm2: LayerNorm
  readonly mlp: FeedForward

  constructor(init: Initialiser, sizes: Sizes['vision']) {
    super()
    this.norm1 = LayerNorm.of(init, sizes.width, { eps })
    this.attn = new Attention(init, sizes)
    this.norm2 = LayerNorm.of(init, sizes.width, { eps })
    this.mlp = new FeedForward(init, sizes.width)
  }

  forward(x: Tensor): Tensor {
    const h = x.add(this.attn.forward(this.norm1.forward(x)))
    return h.add(this.mlp.forward(this.norm2.forward(h)))
  }
}

/** BLIP's vision transformer, with the names of timm. Source: salesforce/BLIP, `models/vit.py`. */
export class VisualEncoder extends Module {
  readonly clsToken: Tensor
  readonly posEmbed: Tensor
  readonly patchEmbed: PatchEmbed
  readonly blocks: readonly Block[]
  readonly norm: LayerNorm

  constructor(init: Initialiser, sizes: Sizes['vision']) {
    super()
    const { imageSize, patchSize, width, layers } = sizes
    this.clsToken = init.normal([1, 1, width], 0.02)
    this.posEmbed = init.normal([1, (imageSize / patchSize) ** 2 + 1, width], 0.02)
    this.patchEmbed = new PatchEmbed(init, sizes)
    this.blocks = Array.from({ length: layers }, () => new Block(init, sizes))
    this.norm = LayerNorm.of(init, width, { eps })
  }

  /** Normalised pictures `[B, 3, imageSize, imageSize]` -> tokens `[B, 1 + patches, width]`. */
  forward(images: Tensor): Tensor {
    const patches = this.patchEmbed.proj.forward(images)
    const [batch = 1, width = 1] = patches.shape
    const tokens = patches.reshape([batch, width, -1]).transpose() // b c h w -> b (h w) c
    const x = concat([this.clsToken.expand([batch, 1, width]), tokens], 1).add(this.posEmbed)
    return this.norm.forward(this.blocks.reduce((h, block) => block.forward(h), x))
  }
}
