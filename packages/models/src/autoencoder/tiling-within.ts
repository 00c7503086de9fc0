import { type Backend, OutOfMemoryError, type Plan, type Tensor, zeros } from '@antipode/core'
import { checkOptions, positive, type Ranges } from '@antipode/core/options'
import type { AutoencoderKL } from './autoencoder-kl.ts'
import type { AutoencoderTiny } from './autoencoder-tiny.ts'
import type { Tiling } from './coding.ts'
import { tileSides } from './tiles.ts'

/** What memory there is. */
export interface MemoryLimits {
  /** Bytes at once beside weights and latents; no limit by default. */
  readonly peakBytes?: number
  /** Bytes of one tensor, as `maxStorageBufferBindingSize` of an adapter limits them; no limit by default. */
  readonly bindingBytes?: number
}

/** How an image is decoded within limits. */
export interface FittingTiling {
  /** For `decode`: whole images, or as few tiles as fit. */
  readonly tiling: Tiling | boolean
  /** What it takes at most, as it is planned. */
  readonly peakBytes: number
}

/** What plans graphs without running them: a device. */
export interface Planner extends Backend {
  plan(...tensors: readonly Tensor[]): Plan
}

const ranges: Ranges<MemoryLimits> = { peakBytes: positive, bindingBytes: positive }

/** The least side of a tile, in pixels: each has norms of its own, which of fewer say little. */
const leastSide = 64
/** Bands, what of them is yet to be put together, and the image that they become, in times of the image. */
const assembled = 3

type Shape = readonly [batch: number, channels: number, height: number, width: number]

/** What an image takes in tiles of a size, or whole. */
export interface TilingCost extends FittingTiling {
  /** Bytes of the largest tensor, which lies in a buffer. */
  readonly largest: number
}

/**
 * The ways to decode images of a size: whole, and then in tiles from the largest to the smallest. Each is planned when
 * it is asked for; nothing runs.
 * @param shape of the latents, `[B, C, h, w]`
 */
export function* tilingCosts(
  device: Planner,
  model: AutoencoderKL | AutoencoderTiny,
  [batch, channels, height, width]: Shape,
): Generator<TilingCost, void> {
  const { scale } = model
  const planned = (h: number, w: number): Omit<TilingCost, 'tiling'> => {
    const { peakBytes, buffers } = device.plan(model.decode(zeros(device, [batch, channels, h, w])))
    // A texture is packed only where the adapter takes one so high.
    return { peakBytes, largest: buffers.reduce((most, { kind, bytes }) => (kind === 'texture' ? most : Math.max(most, bytes)), 0) }
  }
  yield { tiling: false, ...planned(height, width) }
  const image = 4 * batch * (model.config.out_channels ?? 3) * height * width * scale ** 2
  for (const side of tileSides(height, width, model.tileOverlap)) {
    if (side * scale < leastSide) return
    const { peakBytes, largest } = planned(Math.min(side, height), Math.min(side, width))
    yield { tiling: { size: side * scale }, peakBytes: peakBytes + assembled * image, largest }
  }
}

/**
 * As few tiles as decode images of a size within limits, one after the other: whole images if they fit. Nothing runs; a
 * tile or two are planned.
 * @param shape of the latents, `[B, C, h, w]`
 * @throws {OutOfMemoryError} if not even the smallest tiles fit; the message says what they take
 * @throws {ConfigError} if a limit is none
 */
export function tilingWithin(
  device: Planner,
  model: AutoencoderKL | AutoencoderTiny,
  shape: Shape,
  limits: MemoryLimits,
): FittingTiling {
  checkOptions('tilingWithin', limits, ranges)
  const { peakBytes: peak = Infinity, bindingBytes: binding = Infinity } = limits
  let least = { peakBytes: 0, largest: 0 }
  for (const { tiling, ...takes } of tilingCosts(device, model, shape)) {
    if (takes.peakBytes <= peak && takes.largest <= binding) return { tiling, peakBytes: takes.peakBytes }
    least = takes
  }
  throw new OutOfMemoryError(
    `tilingWithin: expected room for the smallest tiles, ${least.peakBytes} bytes at once and ${least.largest} in ` +
      `one tensor, got limits of ${peak} and ${binding}; decode smaller images, or fewer at once`,
  )
}
