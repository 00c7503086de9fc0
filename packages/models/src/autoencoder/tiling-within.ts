import { type Backend, OutOfMemoryError, type Plan, type Tensor, zeros } from '@antipode/core'
import { checkOptions, positive, type Ranges } from '@antipode/core/options'
import type { AutoencoderKL } from './autoencoder-kl.ts'
import type { AutoencoderTiny } from './autoencoder-tiny.ts'
import type { Tiling } from './coding.ts'

/** What memory there is. */
export interface MemoryLimits {
  /** Bytes at once beside weights and latents; no limit by default. */
  readonly peakBytes?: number
  /** Bytes of one tensor, as `maxStorageBufferBindingSize` of an adapter limits them; no limit by default. */
  readonly bindingBytes?: number
}

/** How an image is decoded within limits. */
export interface FittingTiling {
  /** For `decode`: whole images, or the largest tiles that fit. */
  readonly tiling: Tiling | false
  /** What it takes at most, as it is planned. */
  readonly peakBytes: number
}

/** What plans graphs without running them: a device. */
export interface Planner extends Backend {
  plan(...tensors: readonly Tensor[]): Plan
}

const ranges: Ranges<MemoryLimits> = { peakBytes: positive, bindingBytes: positive }

/** Sides of tiles in pixels, from the largest. */
const sides = [1024, 768, 512, 384, 256, 192, 128, 64]
/** Bands, what of them is yet to be put together, and the image that they become, in times of the image. */
const assembled = 3

/**
 * The largest tiles by which a model decodes images of a size within limits, one after the other: whole images if they
 * fit. Nothing runs; a tile or two are planned.
 * @param shape of the latents, `[B, C, h, w]`
 * @throws {OutOfMemoryError} if not even the smallest tiles fit; the message says what they take
 * @throws {ConfigError} if a limit is none
 */
export function tilingWithin(
  device: Planner,
  model: AutoencoderKL | AutoencoderTiny,
  shape: readonly [batch: number, channels: number, height: number, width: number],
  limits: MemoryLimits,
): FittingTiling {
  checkOptions('tilingWithin', limits, ranges)
  const { peakBytes: peak = Infinity, bindingBytes: binding = Infinity } = limits
  const [batch, channels, height, width] = shape
  const { scale } = model
  const planned = (h: number, w: number): { readonly peakBytes: number; readonly largest: number } => {
    const { peakBytes, buffers } = device.plan(model.decode(zeros(device, [batch, channels, h, w])))
    return { peakBytes, largest: buffers.reduce((most, { bytes }) => Math.max(most, bytes), 0) }
  }
  const image = 4 * batch * (model.config.out_channels ?? 3) * height * width * scale ** 2
  const longest = Math.max(height, width) * scale
  let least = planned(height, width)
  if (least.peakBytes <= peak && least.largest <= binding) return { tiling: false, peakBytes: least.peakBytes }
  for (const size of sides) {
    const side = Math.floor(size / scale)
    if (size >= longest || side === 0) continue
    const tile = planned(Math.min(side, height), Math.min(side, width))
    least = { ...tile, peakBytes: tile.peakBytes + assembled * image }
    if (least.peakBytes <= peak && least.largest <= binding) return { tiling: { size }, peakBytes: least.peakBytes }
  }
  throw new OutOfMemoryError(
    `tilingWithin: expected room for the smallest tiles, ${least.peakBytes} bytes at once and ${least.largest} in one ` +
      `tensor, got limits of ${peak} and ${binding}; decode smaller images, or fewer at once`,
  )
}
