import { concat, scaledDotProductAttention, type Tensor } from '@antipode/core'
import { type Initialiser, type Layer, LayerNorm, Linear, Module } from '@antipode/core/nn'

/** Tokens as one vector: what their mean, moved by a learned vector, sees of itself and of them. */
class AttentionPooling extends Module {
  /** `[1, width]` */
  readonly positionalEmbedding: Tensor
  readonly kProj: Layer
  readonly qProj: Layer
  readonly vProj: Layer
  readonly heads: number

  constructor(init: Initialiser, width: number, heads: number) {
    super()
    this.positionalEmbedding = init.normal([1, width], width ** -0.5)
    this.kProj = Linear.of(init, width, width)
    this.qProj = Linear.of(init, width, width)
    this.vProj = Linear.of(init, width, width)
    this.heads = heads
  }

  /** `[B,N,width] -> [B,width]` */
  forward(x: Tensor): Tensor {
    const mean = x.mean({ axes: 1, keepDims: true }).add(this.positionalEmbedding)
    const tokens = concat([mean, x], 1)
    const split = (t: Tensor): Tensor => t.reshape([...t.shape.slice(0, -1), this.heads, -1]) // b n (h d) -> b n h d
    const [q, k, v] = [this.qProj.forward(mean), this.kProj.forward(tokens), this.vProj.forward(tokens)].map(split)
    const y = scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { layout: 'BNHD' })
    return y.reshape([x.shape[0] ?? 1, -1])
  }
}

/**
 * Tokens of a prompt as something to add to the embedding of time.
 * Source: DeepFloyd IF, https://github.com/deep-floyd/IF; `TextTimeEmbedding` of diffusers.
 */
export class TextTimeEmbedding extends Module {
  readonly norm1: LayerNorm
  readonly pool: AttentionPooling
  readonly proj: Layer
  readonly norm2: LayerNorm

  /** @param heads must divide `width` */
  constructor(init: Initialiser, width: number, outputs: number, heads: number) {
    super()
    this.norm1 = LayerNorm.of(init, width)
    this.pool = new AttentionPooling(init, width, heads)
    this.proj = Linear.of(init, width, outputs)
    this.norm2 = LayerNorm.of(init, outputs)
  }

  /** `[B,N,width] -> [B,outputs]` */
  forward(tokens: Tensor): Tensor {
    return this.norm2.forward(this.proj.forward(this.pool.forward(this.norm1.forward(tokens))))
  }
}
