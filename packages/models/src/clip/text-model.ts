import { arange, argmax, ShapeError, type Tensor } from '@antipode/core'
import { Embedding, type Initialiser, type Layer, LayerNorm, Linear, mapModules, Module } from '@antipode/core/nn'
import { type CLIPTextConfig, type ResolvedTextConfig, resolveTextConfig } from './config.ts'
import { Encoder } from './encoder.ts'
import { GrownEmbedding } from './grown-embedding.ts'

class TextEmbeddings extends Module {
  readonly tokenEmbedding: Layer
  readonly positionEmbedding: Embedding

  constructor(init: Initialiser, sizes: ResolvedTextConfig) {
    super()
    this.tokenEmbedding = Embedding.of(init, sizes.vocabulary, sizes.width)
    this.positionEmbedding = Embedding.of(init, sizes.positions, sizes.width)
  }

  forward(ids: Tensor): Tensor {
    const places = arange(ids.device, ids.shape[1] ?? 0, { dtype: 'i32' })
    return this.tokenEmbedding.forward(ids).add(this.positionEmbedding.forward(places))
  }
}

class TextTransformer extends Module {
  readonly embeddings: TextEmbeddings
  readonly encoder: Encoder
  readonly finalLayerNorm: LayerNorm

  constructor(init: Initialiser, sizes: ResolvedTextConfig) {
    super()
    this.embeddings = new TextEmbeddings(init, sizes)
    this.encoder = new Encoder(init, sizes)
    this.finalLayerNorm = LayerNorm.of(init, sizes.width, { eps: sizes.eps })
  }
}

/** What a text tower makes of prompts. */
export interface CLIPTextOutput {
  /** After the last layer and the final norm, `[B, N, hidden_size]`: the context of Stable Diffusion 1.x and 2.x. */
  readonly lastHiddenState: Tensor
  /**
   * What each layer takes and what the last one gives, without the final norm: the last but one is the context of
   * Stable Diffusion XL.
   */
  readonly hiddenStates: readonly Tensor[]
  /** The last hidden state at the first end of each prompt, `[B, hidden_size]`. */
  readonly pooled: Tensor
  /** That, projected, `[B, projection_dim]`; of a model with projection. */
  readonly textEmbeds: Tensor | undefined
}

/** Old files name this token as the end, though prompts end otherwise: there the largest id of a prompt is its end. */
const legacyEnd = 2

/**
 * CLIP's text tower, with the parameter names of the hub's files (`text_model.…`): causal, and attending to the padding
 * as well. Source: Radford et al. 2021, arXiv 2103.00020; transformers `modeling_clip.py`.
 */
export class CLIPTextModel extends Module {
  readonly className: string = 'CLIPTextModel'
  readonly config: CLIPTextConfig
  /** The configuration with its defaults. */
  readonly resolved: ResolvedTextConfig
  readonly textModel: TextTransformer

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: CLIPTextConfig) {
    super()
    this.config = config
    this.resolved = resolveTextConfig('CLIPTextModel', config)
    this.textModel = new TextTransformer(init, this.resolved)
  }

  /**
   * Token ids, i32 `[B, N]` with N up to `max_position_embeddings` -> hidden states and pooled prompts, in the
   * parameters' dtype.
   * @throws {ShapeError} unless ids are `[B, N]` of at most as many tokens as there are positions
   */
  forward(ids: Tensor): CLIPTextOutput {
    const { positions, endToken, vocabulary } = this.resolved
    const tokens = ids.shape[1] ?? 0
    if (ids.rank !== 2 || tokens > positions) {
      throw new ShapeError(
        `${this.className}: expected token ids [B,N] with N of at most ${positions}, got [${ids.shape.join()}]`,
      )
    }
    const hiddenStates = this.textModel.encoder.forward(this.textModel.embeddings.forward(ids), { causal: true })
    const lastHiddenState = this.textModel.finalLayerNorm.forward(hiddenStates.at(-1)!)
    // Tokens that were added have larger ids still, and end nothing.
    const isEnding = endToken === legacyEnd ? ids.mul(ids.lt(vocabulary)) : ids.eq(endToken)
    const ends = argmax(isEnding.to('f32')) // [B]
    // The row of each prompt's end, as a product that picks it: a position that is the end counts 1.
    const places = arange(ids.device, tokens, { dtype: 'i32' })
    const isEnd = places.eq(ends.unsqueeze(-1)).to(lastHiddenState.dtype) // [B, N]
    const pooled = isEnd.unsqueeze(1).matmul(lastHiddenState).squeeze(1)
    return { lastHiddenState, hiddenStates, pooled, textEmbeds: this.project(pooled) }
  }

  /** Tokens that it has rows for. */
  get tokens(): number {
    const { tokenEmbedding: table } = this.textModel.embeddings
    return table instanceof GrownEmbedding ? table.count + (table.added.shape[0] ?? 0) : this.resolved.vocabulary
  }

  /**
   * A copy that has more tokens, whose rows `[n, hidden_size]` are numbered from {@link tokens} on. All else is shared,
   * and the table is not copied. @throws {ShapeError} if the rows have another width
   */
  withTokens(rows: Tensor): this {
    const { width } = this.resolved
    if (rows.rank !== 2 || rows.shape[1] !== width) {
      throw new ShapeError(
        `${this.className}: expected rows of ${width} numbers, as its tokens have, got [${rows.shape.join()}]; ` +
          'they were made for another model',
      )
    }
    const { tokenEmbedding: table } = this.textModel.embeddings
    const grown = new GrownEmbedding(table, rows.to(this.dtype), this.tokens)
    return mapModules(this, (module) => (module === table ? grown : module))
  }

  /** The projection of a pooled prompt; none here. */
  protected project(_pooled: Tensor): Tensor | undefined {
    return undefined
  }
}

/** {@link CLIPTextModel} with a projection of the pooled prompt, as the second encoder of Stable Diffusion XL. */
export class CLIPTextModelWithProjection extends CLIPTextModel {
  override readonly className: string = 'CLIPTextModelWithProjection'
  readonly textProjection: Linear

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: CLIPTextConfig) {
    super(init, config)
    this.textProjection = Linear.of(init, this.resolved.width, this.resolved.projection, { bias: false })
  }

  protected override project(pooled: Tensor): Tensor {
    return this.textProjection.forward(pooled)
  }
}
