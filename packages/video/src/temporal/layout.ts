import { ConfigError, ShapeError, type Tensor } from '@antipode/core'

/** Sizes of a video tensor. */
export interface VideoShape {
  readonly batch: number
  readonly channels: number
  readonly frames: number
  readonly height: number
  readonly width: number
}

/** Reads `[B,C,F,H,W]`. @param name of the caller, for the message @throws {ShapeError} unless there are five axes */
export function videoShape(name: string, x: Tensor): VideoShape {
  const [batch = 0, channels = 0, frames = 0, height = 0, width = 0] = x.shape
  if (x.rank !== 5) {
    throw new ShapeError(`${name}: expected a video [B,C,F,H,W], got [${x.shape.join(',')}]; give a single image one frame`)
  }
  return { batch, channels, frames, height, width }
}

/** Frames as a batch of images: `[B,C,F,H,W] -> [B·F, C, H, W]`. @throws {ShapeError} unless there are five axes */
export function framesToBatch(x: Tensor): Tensor {
  const { batch, channels, frames, height, width } = videoShape('framesToBatch', x)
  return x.permute([0, 2, 1, 3, 4]).reshape([batch * frames, channels, height, width]) // b c f h w -> (b f) c h w
}

/** A batch of images as clips: `[B·F, C, H, W] -> [B,C,F,H,W]`. @throws {ShapeError} unless `frames` divides the batch */
export function batchToFrames(x: Tensor, frames: number): Tensor {
  const [images = 0, channels = 0, height = 0, width = 0] = x.shape
  if (x.rank !== 4 || !Number.isInteger(frames) || frames < 1 || images % frames !== 0) {
    throw new ShapeError(
      `batchToFrames: expected images [B·${frames},C,H,W], got [${x.shape.join(',')}]; pass the frames of one clip`,
    )
  }
  const split = x.reshape([images / frames, frames, channels, height, width])
  return split.permute([0, 2, 1, 3, 4]) // (b f) c h w -> b c f h w
}

/**
 * What a clip has once, for each of its frames: `[B, ...] -> [B·F, ...]`, each row `frames` times in a row.
 * @throws {ShapeError} unless frames is whole and 1 or more
 */
export function repeatFrames(x: Tensor, frames: number): Tensor {
  if (!Number.isInteger(frames) || frames < 1) throw new ShapeError(`repeatFrames: expected a whole number of frames, 1 or more, got ${frames}`)
  const [batch = 1, ...rest] = x.shape
  const each = x.reshape([batch, 1, ...rest]).expand([batch, frames, ...rest])
  return each.reshape([batch * frames, ...rest]) // b f ... -> (b f) ...
}

/** @throws {ConfigError} unless the groups of a group norm divide its channels */
export function checkGroups(name: string, channels: number, groups: number): void {
  if (channels % groups !== 0) {
    throw new ConfigError(`${name}: expected groups that divide the channels, got ${groups} for ${channels}; pass { groups }`)
  }
}
