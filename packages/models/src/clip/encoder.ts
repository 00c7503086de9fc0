import { scaledDotProductAttention, type Tensor } from '@antipode/core'
import { type Initialiser, LayerNorm, Linear, Module } from '@antipode/core/nn'
import type { ResolvedTower } from './config.ts'

/** Multi-head self-attention with the parameter names of transformers. */
class SelfAttention extends Module {
  readonly qProj: Linear
  readonly kProj: Linear
  readonly vProj: Linear
  readonly outProj: Linear
  readonly heads: number

  constructor(init: Initialiser, { width, heads }: ResolvedTower) {
    super()
    this.kProj = Linear.of(init, width, width)
    this.vProj = Linear.of(init, width, width)
    this.qProj = Linear.of(init, width, width)
    this.outProj = Linear.of(init, width, width)
    this.heads = heads
  }

  forward(x: Tensor, causal: boolean): Tensor {
    const split = (t: Tensor): Tensor => t.reshape([...t.shape.slice(0, -1), this.heads, -1]) // b n (h d) -> b n h d
    const [q, k, v] = [this.qProj, this.kProj, this.vProj].map((layer) => split(layer.forward(x)))
    const y = scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { causal, layout: 'BNHD' })
    return this.outProj.forward(y.reshape(x.shape))
  }
}

/** Two linear layers with an activation between them. */
class FeedForward extends Module {
  readonly fc1: Linear
  readonly fc2: Linear
  readonly activation: ResolvedTower['activation']

  constructor(init: Initialiser, { width, inner, activation }: ResolvedTower) {
    super()
    this.fc1 = Linear.of(init, width, inner)
    this.fc2 = Linear.of(init, inner, width)
    this.activation = activation
  }

  forward(x: Tensor): Tensor {
    const h = this.fc1.forward(x)
    return this.fc2.forward(this.activation === 'gelu' ? h.gelu() : h.quickGelu())
  }
}

/** Attention and feed-forward, each after a layer norm and beside a shortcut. */
class EncoderLayer extends Module {
  readonly selfAttn: SelfAttention
  readonly layerNorm1: LayerNorm
  readonly mlp: FeedForward
  readonly layerNorm2: LayerNorm

  constructor(init: Initialiser, tower: ResolvedTower) {
    super()
    this.selfAttn = new SelfAttention(init, tower)
    this.layerNorm1 = LayerNorm.of(init, tower.width, { eps: tower.eps })
    this.mlp = new FeedForward(init, tower)
    this.layerNorm2 = LayerNorm.of(init, tower.width, { eps: tower.eps })
  }

  forward(x: Tensor, causal: boolean): Tensor {
    const h = x.add(this.selfAttn.forward(this.layerNorm1.forward(x), causal))
    return h.add(this.mlp.forward(this.layerNorm2.forward(h)))
  }
}

/** The layers of a tower. */
export class Encoder extends Module {
  readonly layers: readonly EncoderLayer[]

  constructor(init: Initialiser, tower: ResolvedTower) {
    super()
    this.layers = Array.from({ length: tower.layers }, () => new EncoderLayer(init, tower))
  }

  /** x `[B, N, width]` -> what each layer takes, and what the last one gives: one more than there are layers. */
  forward(x: Tensor, { causal }: { readonly causal: boolean }): Tensor[] {
    const states = [x]
    for (const layer of this.layers) states.push(layer.forward(states.at(-1)!, causal))
    return states
  }
}
