import { ShapeError, type Tensor } from '@antipode/core'
import { Module } from '@antipode/core/nn'
import { anObject, checkOptions } from '@antipode/core/options'
import {
  joinWrappers, type UNet2DCondition, type UNet2DConditionModel, type UNet2DOptions, type Wrappers, wrappersOf,
} from '@antipode/models'
import { batchToFrames, framesToBatch, type Layer, repeatFrames } from '../temporal/index.ts'

/** What a clip's prediction is conditioned on: one row for each clip, which holds in all of its frames. */
export type VideoCondition = UNet2DCondition

const aTensor = anObject('a tensor')

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
 * A video UNet: the layers of a 2-D UNet, run on every frame, and temporal blocks let in between them. Made by {@link
 * inflate}. Parameters of the image model are named `unet.…`, those of the blocks `temporal.<2-D layer>.…`; to train
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
   * `[B,C,F,H,W]`. Any number of frames.
   * @param options of the image model, whose layers run on all frames as a batch; wrappers stand around the temporal
   * blocks too
   * @throws {ShapeError} if x is no video, or timesteps or a condition have not a row for each clip
   * @throws {ConfigError} on a condition or an option that is unknown
   */
  forward(x: Tensor, timesteps: Tensor | number, condition: VideoCondition = {}, options: UNet2DOptions = {}): Tensor {
    checkOptions('VideoUNet', condition, {
      context: aTensor, classLabels: aTensor, textEmbeds: aTensor, timeIds: aTensor, timestepCond: aTensor,
    })
    const images = framesToBatch(x) // b c f h w -> (b f) c h w
    const [batch = 0, , frames = 1] = x.shape
    if (typeof timesteps !== 'number' && timesteps.size !== batch && timesteps.size !== 1) {
      throw new ShapeError(
        `VideoUNet: expected ${batch} timesteps, one for each clip, got [${timesteps.shape.join(',')}]`,
      )
    }
    const perFrame = (t: Tensor): Tensor => {
      if (t.shape[0] !== batch) {
        throw new ShapeError(
          `VideoUNet: expected conditions with ${batch} rows, one for each clip, got [${t.shape.join(',')}]`,
        )
      }
      return repeatFrames(t, frames) // b ... -> (b f) ...
    }
    const one = typeof timesteps === 'number' || timesteps.size === 1
    const times = one ? timesteps : perFrame(timesteps.reshape([batch]))
    const given = Object.entries(condition).filter(([, t]: [string, Tensor | undefined]) => t)
    const conditions: VideoCondition = Object.fromEntries(given.map(([name, t]) => [name, perFrame(t)]))
    const wrappers = joinWrappers(this.temporalWrappers(frames), options.wrappers ?? new Map())
    const prediction = this.unet.forward(images, times, conditions, { ...options, wrappers })
    return batchToFrames(prediction, frames) // (b f) c h w -> b c f h w
  }

  /** Each block around its 2-D layer: clips of what that makes of their frames. */
  protected temporalWrappers(frames: number): Wrappers {
    return wrappersOf(this.unet, (name) => {
      const block = this.temporal.behind(name)
      return block && ((run, inputs) => framesToBatch(block.forward(batchToFrames(run(...inputs), frames))))
    })
  }
}
