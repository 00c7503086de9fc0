import { type Backend, ConfigError, type Tensor, tensor } from '@antipode/core'
import { abortSignal, callable, checkOptions, whole } from '@antipode/core/options'
import type { AutoencoderKL } from '@antipode/models'
import { picturesAt, type SquarePictures } from '../squares/index.ts'

/** Pictures as the latents that an autoencoder finds most likely, before its scaling factor, in the host's memory. */
export interface LatentPictures extends Pick<SquarePictures, 'captions' | 'groups'> {
  /** `[N, C, h, w]` */
  readonly latents: Float32Array
  /** `[C, h, w]` */
  readonly shape: readonly number[]
}

/** Options of {@link encodePictures}. */
export interface EncodePicturesOptions {
  /** Pictures at a time, whole, 1 or more; 16 by default. */
  readonly batch?: number
  /** Called after each batch with its size. */
  readonly onBatch?: (pictures: number) => void
  readonly signal?: AbortSignal
}

/**
 * Encodes pictures, so that training need not do so in each step.
 * @throws {ConfigError} if an option is none, or there are no pictures @throws {unknown} the signal's reason
 */
export async function encodePictures(
  vae: AutoencoderKL, pictures: SquarePictures, options: EncodePicturesOptions = {},
): Promise<LatentPictures> {
  checkOptions('encodePictures', options, { batch: whole(1), onBatch: callable, signal: abortSignal })
  const { batch = 16, onBatch, signal } = options
  const count = pictures.captions.length
  if (count === 0) throw new ConfigError('encodePictures: expected pictures, got none; pass at least one')
  const rows: Float32Array[] = []
  let shape: readonly number[] = []
  for (let start = 0; start < count; start += batch) {
    signal?.throwIfAborted()
    const places = Array.from({ length: Math.min(batch, count - start) }, (_, i) => start + i)
    using images = picturesAt(vae.device, pictures, places)
    using mode = vae.encode(images).mode().to('f32')
    rows.push(await mode.data() as Float32Array) // of f32
    shape = mode.shape.slice(1)
    onBatch?.(places.length)
  }
  const latents = new Float32Array(count * shape.reduce((a, b) => a * b, 1))
  for (const [i, row] of rows.entries()) latents.set(row, i * batch * (latents.length / count))
  const { captions, groups } = pictures
  return { latents, shape, captions, ...(groups ? { groups } : {}) }
}

/** Some of the latents, `[B, C, h, w]`; the tensor owns its memory. */
export function latentsAt(device: Backend, { latents, shape }: LatentPictures, places: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  const values = new Float32Array(places.length * size)
  for (const [i, place] of places.entries()) values.set(latents.subarray(place * size, (place + 1) * size), i * size)
  return tensor(device, values, [places.length, ...shape])
}

/**
 * The factor that brings latents to a deviation of 1, the `scaling_factor` of an autoencoder's configuration.
 * Source: Rombach et al. 2022, arXiv 2112.10752, appendix G. @throws {ConfigError} if all latents are equal
 */
export function scalingFactor({ latents }: Pick<LatentPictures, 'latents'>): number {
  const mean = latents.reduce((sum, v) => sum + v, 0) / latents.length
  const variance = latents.reduce((sum, v) => sum + (v - mean) ** 2, 0) / latents.length
  if (variance > 0) return 1 / Math.sqrt(variance)
  throw new ConfigError('scalingFactor: expected latents that differ, got equal ones; train the autoencoder first')
}
