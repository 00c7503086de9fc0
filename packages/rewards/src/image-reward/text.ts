import { arange, scaledDotProductAttention, type Tensor, where } from '@antipode/core'
import { Embedding, type Initialiser, LayerNorm, Linear, Module } from '@antipode/core/nn'
import type { Sizes } from './config.ts'

const eps = 1e-12

class Embeddings extends Module {
  readonly wordEmbeddings: Embedding
  readonly positionEmbeddings: Embedding
  readonly layerNorm: LayerNorm

  constructor(init: Initialiser, { vocabulary, positions, width }: Sizes['text']) {
    super()
    this.wordEmbeddings = Embedding.of(init, vocabulary, width)
    this.positionEmbeddings = Embedding.of(init, positions, width)
    this.layerNorm = LayerNorm.of(init, width, { eps })
  }

  forward(ids: Tensor): Tensor {
    const places = arange(ids.device, ids.shape[1] ?? 0, { dtype: 'i32' })
    return this.layerNorm.forward(this.wordEmbeddings.forward(ids).add(this.positionEmbeddings.forward(places)))
  }
}

class SelfAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly heads: number

  constructor(init: Initialiser, { width, heads }: Sizes['text'], context: number) {
    super()
    this.query = Linear.of(init, width, width)
    this.key = Linear.of(init, context, width)
    this.value = Linear.of(init, context, width)
    this.heads = heads
  }

  forward(x: Tensor, context: Tensor, mask?: Tensor): Tensor {
    const apart = (t: Tensor): Tensor => t.reshape([...t.shape.slice(0, -1), this.heads, -1]) // b n (h d) -> b n h d
    const [q, k, v] = [this.query.forward(x), this.key.forward(context), this.value.forward(context)].map(apart)
    return scaledDotProductAttention(q!, k!, v!, { layout: 'BNHD', ...mask && { mask } }).reshape(x.shape)
  }
}

/** A linear layer, and a norm of its sum with what stands beside. */
class Output extends Module {
  readonly dense: Linear
  readonly layerNorm: LayerNorm

  constructor(init: Initialiser, inputs: number, width: number) {
    super()
    this.dense = Linear.of(init, inputs, width)
    this.layerNorm = LayerNorm.of(init, width, { eps })
  }

  forward(x: Tensor, beside: Tensor): Tensor {
    return this.layerNorm.forward(this.dense.forward(x).add(beside))
  }
}

class Attention extends Module {
  readonly self: SelfAttention
  readonly output: Output

  constructor(init: Initialiser, sizes: Sizes['text'], context: number) {
    super()
    this.self = new SelfAttention(init, sizes, context)
    this.output = new Output(init, sizes.width, sizes.width)
  }

  forward(x: Tensor, context: Tensor, mask?: Tensor): Tensor {
    return this.output.forward(this.self.forward(x, context, mask), x)
  }
}

class Intermediate extends Module {
  readonly dense: Linear

  constructor(init: Initialiser, { width, inner }: Sizes['text']) {
    super()
    this.dense = Linear.of(init, width, inner)
  }
}

class Layer extends Module {
  readonly attention: Attention
  readonly crossattention: Attention
  readonly intermediate: Intermediate
  readonly output: Output

  constructor(init: Initialiser, sizes: Sizes['text'], context: number) {
    super()
    this.attention = new Attention(init, sizes, sizes.width)
    this.crossattention = new Attention(init, sizes, context)
    this.intermediate = new Intermediate(init, sizes)
    this.output = new Output(init, sizes.inner, sizes.width)
  }

  forward(x: Tensor, picture: Tensor, mask: Tensor): Tensor {
    const own = this.attention.forward(x, x, mask)
    const seen = this.crossattention.forward(own, picture)
    return this.output.forward(this.intermediate.dense.forward(seen).gelu(), seen)
  }
}

class Encoder extends Module {
  readonly layer: readonly Layer[]

  constructor(init: Initialiser, sizes: Sizes['text'], context: number) {
    super()
    this.layer = Array.from({ length: sizes.layers }, () => new Layer(init, sizes, context))
  }
}

/** BLIP's BERT, which looks at a picture in every layer. Source: salesforce/BLIP, `models/med.py`. */
export class TextEncoder extends Module {
  readonly embeddings: Embeddings
  readonly encoder: Encoder

  /** @param context width of the picture's tokens */
  constructor(init: Initialiser, sizes: Sizes['text'], context: number) {
    super()
    this.embeddings = new Embeddings(init, sizes)
    this.encoder = new Encoder(init, sizes, context)
  }

  /** Ids, i32 `[B, N]`, padded with 0, and the picture's tokens `[B, M, context]` -> `[B, N, width]`. */
  forward(ids: Tensor, picture: Tensor): Tensor {
    const [batch = 1, tokens = 1] = ids.shape
    // What BERT adds to the scores of padding.
    const hidden = where(ids.eq(0), -1e4, 0).to(picture.dtype).reshape([batch, 1, 1, tokens])
    const mask = hidden.expand([batch, 1, tokens, tokens])
    return this.encoder.layer.reduce((x, layer) => layer.forward(x, picture, mask), this.embeddings.forward(ids))
  }
}
