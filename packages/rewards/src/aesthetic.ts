import { ShapeError, type Tensor } from '@antipode/core'
import { type Initialiser, Module } from '@antipode/core/nn'
import { checkOptions, whole } from '@antipode/core/options'
import type { CLIPVisionModelWithProjection } from '@antipode/models'
import type { Condition, Reward } from '@antipode/npo'
import { clipImages } from './clip-images.ts'
import { type HeadLayers, headLayers, scoreBy } from './linear-head.ts'
import { unit } from './unit.ts'

/** Options of {@link AestheticHead.of}. */
export interface AestheticOptions {
  /** Length of the embeddings, whole, 1 or more; 768, that of CLIP ViT-L/14, by default. */
  readonly width?: number
}

/**
 * The LAION aesthetic predictor's head: how much people like a picture, from about 1 to 10, by its CLIP ViT-L/14
 * embedding. Five linear layers with nothing between them but dropout, which is off here; parameters are named as in
 * `sac+logos+ava1-l14-linearMSE`, `layers.0` to `layers.7` with gaps where its dropout was.
 * Source: Schuhmann 2022, github.com/christophschuhmann/improved-aesthetic-predictor, simple_inference.py.
 */
export class AestheticHead extends Module {
  readonly layers: HeadLayers

  constructor(layers: HeadLayers) {
    super()
    this.layers = layers
  }

  /** Fresh parameters, to be loaded. @throws {ConfigError} if an option is unknown or outside its range */
  static of(init: Initialiser, options: AestheticOptions = {}): AestheticHead {
    checkOptions('AestheticHead', options, { width: whole(1) })
    return new AestheticHead(headLayers(init, options.width ?? 768))
  }

  /**
   * Scores `[B]` of embeddings `[B, width]`, which need not be of length 1: their direction counts. In f32, with
   * gradients, so that samples can be moved towards what is liked.
   * @throws {ShapeError} unless there is a row for each picture
   */
  forward(embeddings: Tensor): Tensor {
    if (embeddings.rank !== 2) {
      const got = `[${embeddings.shape.join()}]`
      throw new ShapeError(`AestheticHead: expected embeddings [B, width], got ${got}; give a row for each picture`)
    }
    return scoreBy(this.layers, unit(embeddings))
  }
}

/**
 * How much people like pictures `[B, 3, H, W]` in [0, 1], from about 1 to 10, whatever they were asked to show: a
 * reward that labels pairs, or that samples are moved towards.
 * @param vision the tower of CLIP ViT-L/14, or that which the head was trained on
 */
export function aestheticReward(vision: CLIPVisionModelWithProjection, head: AestheticHead): Reward<Condition> {
  const side = vision.resolved.side
  return (images) => head.forward(vision.forward(clipImages(images, { side }).to(vision.dtype)).imageEmbeds)
}
