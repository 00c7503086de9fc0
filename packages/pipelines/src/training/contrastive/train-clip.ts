import { ConfigError, type Tensor } from '@antipode/core'
import { checkOptions, type Ranges, whole } from '@antipode/core/options'
import type { LossAndMetrics, TrainStep } from '@antipode/npo'
import { clipImages } from '@antipode/rewards'
import { type FullTrainingOptions, fullTrainingRanges, trainFully } from '../full/index.ts'
import type { SquarePictures } from '../squares/index.ts'
import { type ClipBatch, clipBatches } from './clip-batches.ts'
import { checkClip, type TrainedClip } from './clip-models.ts'
import { contrastiveLoss } from './contrastive-loss.ts'

/**
 * Options of {@link trainClip}: by default batches of 64, 2 or more, no more than there are pictures, each of which has
 * the others as negatives; a learning rate of 5e-4, as the small towers of CLIP were trained, and a weight decay of 0.1.
 */
export interface TrainClipOptions extends FullTrainingOptions {
  /** Pixels by which pictures are moved at random, in each direction, beyond which they are white; 2 by default. */
  readonly shift?: number
}

const defaults = { learningRate: 5e-4, weightDecay: 0.1, betas: [0.9, 0.98], eps: 1e-6 } as const
const ranges: Ranges<TrainClipOptions> = { ...fullTrainingRanges, batch: whole(2, 1024), shift: whole(0) }

/**
 * Trains both towers of a CLIP and its temperature from pictures with captions, step by step, as `train` of
 * @antipode/npo does: AdamW on {@link contrastiveLoss}, whose learning rate falls to 0 along half a cosine. Each use of
 * a picture draws one of its captions and a shift. Rows of a batch whose prompts have the same ids are no negatives.
 * Pictures are seen as `clipImages` of @antipode/rewards makes them, so that its `clipReward` judges by the towers that
 * are trained.
 * Source: Radford et al. 2021, arXiv 2103.00020, sections 2.3 to 2.5 and table 18, of which rate, betas and eps are.
 * @throws {ConfigError} if an option is unknown or outside its range, data are not whole, the towers and the tokenizer do
 * not belong together, or are not in f32 @throws {CheckpointError | NumericError} as `train` does
 */
export async function* trainClip(
  models: TrainedClip, data: SquarePictures, options: TrainClipOptions,
): AsyncGenerator<TrainStep, void, void> {
  checkOptions('trainClip', options, ranges)
  checkClip('trainClip', models, data)
  const { batch: size = 64, shift = 2, seed = 0 } = options
  const count = data.captions.length
  if (size > count) {
    throw new ConfigError(`trainClip: expected a batch of at most ${count} pictures, as many as there are, got ${size}`)
  }
  yield* trainFully<ClipBatch>(clipParameters(models), options, defaults, {
    ...clipBatches(models, data, { size, seed, shift }),
    loss: (batch) => clipLoss(models, batch),
  })
}

/** What {@link trainClip} trains, by the names that transformers' `CLIPModel` has for it. @throws {ConfigError} unless it is f32 */
export function clipParameters({ text, vision, logitScale }: Omit<TrainedClip, 'tokenizer'>): ReadonlyMap<string, Tensor> {
  const parameters = new Map([...text.namedParameters(), ...vision.namedParameters(), ['logit_scale', logitScale]])
  for (const [name, { dtype }] of parameters) {
    if (dtype !== 'f32') throw new ConfigError(`trainClip: expected parameters in f32, got ${name} in ${dtype}`)
  }
  return parameters
}

/** The loss of a batch by the towers. */
function clipLoss({ text, vision, logitScale }: TrainedClip, { pictures, ids }: ClipBatch): LossAndMetrics {
  const { imageEmbeds } = vision.forward(clipImages(pictures, { side: vision.resolved.side }))
  const { textEmbeds, pooled } = text.forward(ids)
  const sameCaption = ids.unsqueeze(0).eq(ids.unsqueeze(1)).to('f32').min({ axes: 2 }) // [B, B]
  return contrastiveLoss(imageEmbeds, textEmbeds ?? pooled, logitScale, { sameCaption })
}
