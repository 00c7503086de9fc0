import { arange, concat, ShapeError, type Tensor } from '@antipode/core'
import { Conv2d, Embedding, type Initialiser, LayerNorm, Linear, Module } from '@antipode/core/nn'
import { type CLIPVisionConfig, type ResolvedVisionConfig, resolveVisionConfig } from './config.ts'
import { Encoder } from './encoder.ts'

class VisionEmbeddings extends Module {
  /** `[hidden_size]`, the token whose output stands for the image. */
  readonly classEmbedding: Tensor
  readonly patchEmbedding: Conv2d
  readonly positionEmbedding: Embedding

  constructor(init: Initialiser, { width, channels, patch, side }: ResolvedVisionConfig) {
    super()
    this.classEmbedding = init.normal([width], 1)
    this.patchEmbedding = Conv2d.of(init, channels, width, patch, { stride: patch, bias: false })
    this.positionEmbedding = Embedding.of(init, (side / patch) ** 2 + 1, width)
  }

  forward(images: Tensor): Tensor {
    const [batch = 1] = images.shape
    const patches = this.patchEmbedding.forward(images)
    const [, width = 1] = patches.shape
    const first = this.classEmbedding.reshape([1, 1, width]).expand([batch, 1, width])
    const tokens = concat([first, patches.reshape([batch, width, -1]).transpose()], 1) // b c h w -> b (1 + h w) c
    return tokens.add(this.positionEmbedding.forward(arange(images.device, tokens.shape[1] ?? 0, { dtype: 'i32' })))
  }
}

class VisionTransformer extends Module {
  readonly embeddings: VisionEmbeddings
  // The misspelling is the checkpoints' own.
  readonly preLayrnorm: LayerNorm
  readonly encoder: Encoder
  readonly postLayernorm: LayerNorm

  constructor(init: Initialiser, sizes: ResolvedVisionConfig) {
    super()
    this.embeddings = new VisionEmbeddings(init, sizes)
    this.preLayrnorm = LayerNorm.of(init, sizes.width, { eps: sizes.eps })
    this.encoder = new Encoder(init, sizes)
    this.postLayernorm = LayerNorm.of(init, sizes.width, { eps: sizes.eps })
  }
}

/** What a vision tower makes of images. */
export interface CLIPVisionOutput {
  /** After the last layer, without a norm, `[B, 1 + patches, hidden_size]`. */
  readonly lastHiddenState: Tensor
  /** What each layer takes and what the last one gives. */
  readonly hiddenStates: readonly Tensor[]
  /** The class token after the norm, `[B, hidden_size]`. */
  readonly pooled: Tensor
  /** That, projected, `[B, projection_dim]`. */
  readonly imageEmbeds: Tensor
}

/**
 * CLIP's vision tower with projection, with the parameter names of the hub's files (`vision_model.…`).
 * Source: Radford et al. 2021, arXiv 2103.00020; transformers `modeling_clip.py`.
 */
export class CLIPVisionModelWithProjection extends Module {
  readonly className = 'CLIPVisionModelWithProjection'
  readonly config: CLIPVisionConfig
  /** The configuration with its defaults. */
  readonly resolved: ResolvedVisionConfig
  readonly visionModel: VisionTransformer
  readonly visualProjection: Linear

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: CLIPVisionConfig) {
    super()
    this.config = config
    this.resolved = resolveVisionConfig('CLIPVisionModelWithProjection', config)
    this.visionModel = new VisionTransformer(init, this.resolved)
    this.visualProjection = Linear.of(init, this.resolved.width, this.resolved.projection, { bias: false })
  }

  /**
   * Images `[B, num_channels, image_size, image_size]`, normalised as the checkpoint's preprocessor says -> hidden
   * states and embeddings.
   * @throws {ShapeError} unless the images have the size of the model
   */
  forward(images: Tensor): CLIPVisionOutput {
    const { side, channels } = this.resolved
    if (images.rank !== 4 || images.shape.slice(1).join() !== `${channels},${side},${side}`) {
      throw new ShapeError(
        `${this.className}: expected images [B,${channels},${side},${side}], got [${images.shape.join()}]; resize them`,
      )
    }
    const { embeddings, preLayrnorm, encoder, postLayernorm } = this.visionModel
    const hiddenStates = encoder.forward(preLayrnorm.forward(embeddings.forward(images)), { causal: false })
    const lastHiddenState = hiddenStates.at(-1)!
    const pooled = postLayernorm.forward(lastHiddenState.slice(1, 0, 1).squeeze(1))
    return { lastHiddenState, hiddenStates, pooled, imageEmbeds: this.visualProjection.forward(pooled) }
  }
}
