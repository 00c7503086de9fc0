import { type Backend, concat, Device, evaluate, storedBytes, type Tensor } from '@antipode/core'
import {
  type AutoencoderKL,
  type AutoencoderTiny,
  type FittingTiling,
  type MemoryLimits,
  type Planner,
  type Tiling,
  tilingWithin,
} from '@antipode/models'
import { toAutoencoder } from '../latents/index.ts'

/** How latents are decoded. */
export interface DecodeOptions {
  /**
   * Whether an image is decoded tile by tile, and in which tiles. By default it is decoded whole unless the device
   * could not bind one of the tensors on the way, or a budget leaves no room for them; then in as few tiles as it can.
   * Tiles have norms of their own, so that colours differ a little.
   */
  readonly tiling?: boolean | Tiling | undefined
  readonly signal?: AbortSignal | undefined
}

/** Latents `[B, C, h, w]` -> pixels `[B, 3, H, W]` in [0, 1], image by image, so that the memory is that of one. */
export async function decode(
  vae: AutoencoderKL,
  latents: Tensor,
  { tiling = tilesFor(vae, latents), signal }: DecodeOptions,
): Promise<Tensor> {
  const images: Tensor[] = []
  try {
    for (let row = 0; row < (latents.shape[0] ?? 0); row++) {
      const z = toAutoencoder(vae, latents.slice(0, row, row + 1))
      using image = await vae.decodeInParts(z, { tiling, ...(signal ? { signal } : {}) })
      const pixels = image.div(2).add(0.5).clamp(0, 1)
      await evaluate(pixels)
      images.push(pixels)
    }
    if (images.length === 1) return images.pop() as Tensor
    const all = concat(images)
    await evaluate(all)
    return all
  } finally {
    for (const image of images) image.dispose()
  }
}

/** Tiles by the size of latents: to find them a decoder is planned, about a tenth of a second for Stable Diffusion's. */
const fitting = new WeakMap<AutoencoderKL | AutoencoderTiny, Map<string, FittingTiling>>()

/** As few tiles as let the device bind every tensor, and what decoding one image in them takes. */
function fittingTiles(
  device: Planner,
  vae: AutoencoderKL | AutoencoderTiny,
  { shape }: Pick<Tensor, 'shape'>,
): FittingTiling {
  const [, channels = 1, height = 1, width = 1] = shape
  const known = fitting.get(vae) ?? new Map<string, FittingTiling>()
  const size = `${height}×${width}`
  const found = known.get(size) ?? tilingWithin(device, vae, [1, channels, height, width], bindingLimits(device))
  fitting.set(vae, known.set(size, found))
  return found
}

/** What a device can bind of one tensor. */
export function bindingLimits(device: Backend): Pick<MemoryLimits, 'bindingBytes'> {
  if (!(device instanceof Device)) return {}
  const { maxStorageBufferBindingSize, maxBufferSize } = device.gpu.limits
  return { bindingBytes: Math.min(maxStorageBufferBindingSize, maxBufferSize) }
}

/** Tiles in which an autoencoder decodes latents within a budget while nothing else is on the device. */
export function tilesWithin(vae: AutoencoderKL, latents: Tensor, budget: number): boolean | Tiling {
  const { device, shape: [, channels = 1, height = 1, width = 1] } = latents
  if (!isPlanner(device)) return false
  const weights = vae.parameters().reduce((sum, t) => sum + storedBytes(t), 0)
  const limits = { ...bindingLimits(device), peakBytes: Math.max(1, budget - weights) }
  return tilingWithin(device, vae, [1, channels, height, width], limits).tiling
}

/** Whether a backend plans graphs without running them. */
export function isPlanner(device: Backend): device is Planner {
  return 'plan' in device
}

/** Tiles for latents on a device; none where nothing can be planned. */
export function tilesFor(vae: AutoencoderKL | AutoencoderTiny, latents: Pick<Tensor, 'shape'>): boolean | Tiling {
  return vae.device instanceof Device && fittingTiles(vae.device, vae, latents).tiling
}
