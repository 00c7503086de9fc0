import { ConfigError, type Tensor } from '@antipode/core'
import { adamw, cosineDecay, type Ema } from '@antipode/core/optim'
import {
  abortSignal, anObject, atLeast, checkOptions, flag, listOf, positive, type Ranges, required, whole,
} from '@antipode/core/options'
import { type CheckpointOptions, type LossAndMetrics, type StopRule, train, type TrainStep } from '@antipode/npo'
import { clipImages } from '@antipode/rewards'
import { type ClipBatch, clipBatches } from './clip-batches.ts'
import { checkClip, type ClipData, type TrainedClip } from './clip-models.ts'
import { contrastiveLoss } from './contrastive-loss.ts'

/** Options of {@link trainClip}. */
export interface TrainClipOptions {
  /** Updates in all, those of a run that is continued included. */
  readonly steps: number
  /** Pictures of a batch, each of which has the others as negatives: 2 or more, no more than there are; 64 by default. */
  readonly batch?: number
  /** 5e-4 by default, as the small towers of CLIP were trained. */
  readonly learningRate?: number
  /** Updates in which the learning rate rises from 0, fewer than `steps`; a twentieth of them by default. */
  readonly warmup?: number
  /** Of all parameters alike, 0 or more; 0.1 by default. */
  readonly weightDecay?: number
  /** Largest norm of all gradients together; 1 by default. */
  readonly clipNorm?: number
  /** Pixels by which pictures are moved at random, in each direction, beyond which they are white; 2 by default. */
  readonly shift?: number
  /** Of the order of pictures, their captions and shifts; 0 by default. */
  readonly seed?: number
  /** Takes the average of the parameters from the first update on. */
  readonly ema?: Ema
  /** What ends the run; see `train`. */
  readonly stop?: readonly StopRule[]
  readonly checkpoint?: CheckpointOptions
  /** Whether to continue what `checkpoint.path` holds; false by default. */
  readonly resume?: boolean
  readonly signal?: AbortSignal
}

const ranges: Ranges<TrainClipOptions> = {
  steps: required(whole(1)), batch: whole(2), learningRate: atLeast(0), warmup: whole(0), weightDecay: atLeast(0),
  clipNorm: positive, shift: whole(0), seed: whole(0), ema: anObject('an average of parameters, made by ema'),
  stop: listOf(anObject('a rule')), checkpoint: anObject('an object of options'), resume: flag, signal: abortSignal,
}

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
  models: TrainedClip, data: ClipData, options: TrainClipOptions,
): AsyncGenerator<TrainStep, void, void> {
  checkOptions('trainClip', options, ranges)
  checkClip('trainClip', models, data)
  const { steps, batch: size = 64, learningRate: lr = 5e-4, weightDecay = 0.1, clipNorm = 1, shift = 2, seed = 0 } = options
  const { warmup = Math.floor(steps / 20), ema, stop, checkpoint, resume = false, signal } = options
  const count = data.captions.length
  if (size > count) {
    throw new ConfigError(`trainClip: expected a batch of at most ${count} pictures, as many as there are, got ${size}`)
  }
  const parameters = clipParameters(models)
  using optimizer = adamw({ lr, betas: [0.9, 0.98], eps: 1e-6, weightDecay })
  yield* train<ClipBatch>({
    parameters, ...clipBatches(models, data, { size, seed, shift }),
    loss: (batch) => clipLoss(models, batch),
    compile: true,
    optimizer, steps, clipNorm, resume, schedule: cosineDecay({ steps, warmup }),
    ...(ema ? { ema } : {}),
    ...(stop ? { stop } : {}),
    ...(checkpoint ? { checkpoint } : {}),
    ...(signal ? { signal } : {}),
  })
}

/** All that is trained, by the names that transformers' `CLIPModel` has for it. @throws {ConfigError} unless it is f32 */
function clipParameters({ text, vision, logitScale }: TrainedClip): Map<string, Tensor> {
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
