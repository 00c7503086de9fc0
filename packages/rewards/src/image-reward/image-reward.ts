import { ShapeError, type Tensor } from '@antipode/core'
import { type Checkpoint, type Initialiser, Module } from '@antipode/core/nn'
import { anObject, checkOptions, whole } from '@antipode/core/options'
import { rename } from '@antipode/models'
import type { Reward } from '@antipode/npo'
import { clipImages } from '../clip-images.ts'
import { type HeadLayers, headLayers, scoreBy } from '../linear-head.ts'
import { defaults, type ImageRewardConfig, type Sizes } from './config.ts'
import { TextEncoder } from './text.ts'
import { VisualEncoder } from './vision.ts'

/** Mean and deviation of the head's numbers on ImageReward's own data. */
const mean = 0.16717362830052426
const deviation = 1.0333394966054072

class Blip extends Module {
  readonly visualEncoder: VisualEncoder
  readonly textEncoder: TextEncoder

  constructor(init: Initialiser, { vision, text }: Sizes) {
    super()
    this.visualEncoder = new VisualEncoder(init, vision)
    this.textEncoder = new TextEncoder(init, text, vision.width)
  }
}

class Head extends Module {
  readonly layers: HeadLayers

  constructor(init: Initialiser, width: number) {
    super()
    this.layers = headLayers(init, width)
  }
}

/**
 * ImageReward's BLIP and its head, to be loaded by {@link loadImageReward}.
 * Source: Xu et al. 2023, arXiv 2304.05977; THUDM/ImageReward, `ImageReward.py`.
 */
export class ImageRewardModel extends Module {
  readonly sizes: Sizes
  readonly blip: Blip
  readonly mlp: Head

  /** @throws {ConfigError} if a size is unknown, or not whole and 1 or more */
  constructor(init: Initialiser, config: ImageRewardConfig = {}) {
    super()
    const size = whole(1)
    checkOptions('ImageRewardModel', config, { vision: anObject('sizes'), text: anObject('sizes') })
    checkOptions('ImageRewardModel: vision', config.vision, {
      imageSize: size, patchSize: size, width: size, layers: size, heads: size,
    })
    checkOptions('ImageRewardModel: text', config.text, {
      vocabulary: size, positions: size, width: size, inner: size, layers: size, heads: size,
    })
    this.sizes = { vision: { ...defaults.vision, ...config.vision }, text: { ...defaults.text, ...config.text } }
    this.blip = new Blip(init, this.sizes)
    this.mlp = new Head(init, this.sizes.text.width)
  }

  /**
   * Scores `[B]`, in f32, of pictures as CLIP takes them, `[B, 3, imageSize, imageSize]`, and ids, i32 `[B, N]`.
   * @throws {ShapeError} unless there is a prompt for each picture, of as many tokens as there are positions at most
   */
  forward(images: Tensor, ids: Tensor): Tensor {
    const { positions } = this.sizes.text
    if (ids.rank !== 2 || ids.shape[0] !== images.shape[0] || ids.shape[1]! > positions) {
      const [got, given] = [`[${ids.shape.join()}]`, `[${images.shape.join()}]`]
      throw new ShapeError(
        `ImageRewardModel: expected token ids [B, N], of a prompt of at most ${positions} tokens for each picture, ` +
          `got ${got} for ${given}`,
      )
    }
    const seen = this.blip.visualEncoder.forward(images.to(this.dtype))
    const first = this.blip.textEncoder.forward(ids, seen).slice(1, 0, 1).squeeze(1) // [B, width]
    return scoreBy(this.mlp.layers, first).to('f32').sub(mean).div(deviation)
  }
}

/**
 * How much people prefer pictures `[B, 3, H, W]` in [0, 1] for their prompts, about 0 on average and 1 from there to a
 * better one. Conditions are token ids of BERT (bert-base-uncased), i32 `[B, N]`, N up to 35 as it was trained, padded
 * with 0. With gradients to the pixels.
 */
export function imageReward(model: ImageRewardModel): Reward<Tensor> {
  const side = model.sizes.vision.imageSize
  return (images, ids) => model.forward(clipImages(images, { side }), ids)
}

/** What the published file has beside the model: BLIP's contrastive heads, and positions counted from 0. */
const unused = /^blip\.(vision_proj|text_proj)\.|\.position_ids$/

/**
 * Gives a model the parameters of `ImageReward.pt`, under its names.
 * @throws {CheckpointError} if names or shapes are not its
 */
export async function loadImageReward(model: ImageRewardModel, checkpoint: Checkpoint): Promise<void> {
  await model.load(rename(checkpoint, (name) => {
    return unused.test(name) ? undefined : name.replaceAll('.LayerNorm.', '.layer_norm.')
  }))
}
