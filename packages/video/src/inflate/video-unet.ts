import { ShapeError, type Tensor } from '@antipode/core'
import { Module } from '@antipode/core/nn'
import { anObject, checkOptions, flag } from '@antipode/core/options'
import type { UNet2DCondition, UNet2DConditionModel } from '@antipode/models'
import { batchToFrames, framesToBatch, type Layer, repeatFrames } from '../temporal/index.ts'

/** What a clip's prediction is conditioned on: one row for each clip, which holds in all of its frames. */
export type VideoCondition = Omit<UNet2DCondition, 'after'>

/** Temporal blocks by the name of the 2-D layer behind which they stand. */
export class TemporalLayers extends Module {
  constructor(layers: ReadonlyMap<string, Module & Layer>) {
    super()
    // As properties, so that parameters are named after the layers and copies carry them.
    Object.assign(this, Object.fromEntries(layers))
  }

  /** The block behind a 2-D layer, if there is one. */
  behind(layer: string): Layer | undefined {
    return Object.hasOwn(this, layer) ? (this as unknown as Readonly<Record<string, Layer>>)[layer] : undefined
  }
}

/**
 * A video UNet: the layers of a 2-D UNet, run on every frame, and temporal blocks let in between them. Made by
 * {@link inflate}. Parameters of the image model are named `unet.…`, those of the blocks `temporal.<2-D layer>.…`; to train
 * motion alone, optimise `temporal` and leave `unet` as it is.
 */
export class VideoUNet extends Module {
  readonly unet: UNet2DConditionModel
  readonly temporal: TemporalLayers

  constructor(unet: UNet2DConditionModel, temporal: TemporalLayers) {
    super()
    this.unet = unet
    this.temporal = temporal
  }

  /**
   * x `[B,C,F,H,W]`, timesteps `[B]`, or one number for all; conditions have one row for each clip -> the prediction
   * `[B,C,F,H,W]`. Any number of frames. @throws {ShapeError} if x is no video, or timesteps or a condition have not a row for
   * each clip @throws {ConfigError} on a condition that is unknown
   */
  forward(x: Tensor, timesteps: Tensor | number, condition: VideoCondition = {}): Tensor {
    checkOptions('VideoUNet', condition, { context: anObject('a tensor'), classLabels: anObject('a tensor'), addedCond: anObject('textEmbeds and timeIds'), checkpoint: flag })
    const { context, classLabels, addedCond, checkpoint } = condition
    const images = framesToBatch(x) // b c f h w -> (b f) c h w
    const [batch = 0, , frames = 1] = x.shape
    if (typeof timesteps !== 'number' && timesteps.size !== batch && timesteps.size !== 1) {
      throw new ShapeError(`VideoUNet: expected ${batch} timesteps, one for each clip, got [${timesteps.shape.join(',')}]`)
    }
    const perFrame = (t: Tensor): Tensor => {
      if (t.shape[0] !== batch) throw new ShapeError(`VideoUNet: expected conditions with ${batch} rows, one for each clip, got [${t.shape.join(',')}]`)
      return repeatFrames(t, frames) // b ... -> (b f) ...
    }
    const times = typeof timesteps === 'number' || timesteps.size === 1 ? timesteps : perFrame(timesteps.reshape([batch]))
    const prediction = this.unet.forward(images, times, {
      ...(context && { context: perFrame(context) }),
      ...(classLabels && { classLabels: perFrame(classLabels) }),
      checkpoint,
      ...(addedCond && { addedCond: { textEmbeds: perFrame(addedCond.textEmbeds), timeIds: perFrame(addedCond.timeIds) } }),
      after: (layer, h) => {
        const block = this.temporal.behind(layer)
        return block ? framesToBatch(block.forward(batchToFrames(h, frames))) : h
      },
    })
    return batchToFrames(prediction, frames) // (b f) c h w -> b c f h w
  }
}
