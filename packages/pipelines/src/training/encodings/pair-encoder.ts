import { type Backend, concat, evaluate, NumericError, type Tensor } from '@antipode/core'
import { fit, type FittedPicture, readPicture, type Size } from '../pictures/index.ts'
import type { PreferencePair } from '../pairs/index.ts'
import { bucketFor } from './buckets.ts'
import type { ShardTensor } from './shard.ts'

/** Models that turn pictures and prompts into what a denoiser learns from. */
export interface PairEncoder {
  readonly device: Backend
  /** Pictures `[B, 3, H, W]` in [−1, 1] -> `[B, 2·C, h, w]`: means of their latents, then logarithms of variances. */
  moments(pictures: Tensor): Tensor
  /** What a denoiser is told of a prompt, by name, `[1, …]` each. */
  prompt(text: string): Readonly<Record<string, Tensor>>
}

/** A pair whose pictures are encoded. */
export interface EncodedPictures extends Pick<FittedPicture, 'original' | 'crop'> {
  readonly size: Size
  readonly moments: Readonly<Record<'chosen' | 'rejected', ShardTensor>>
}

/**
 * Encodes both pictures of a pair at the size of the bucket that suits the chosen one.
 * @throws {DatasetError} if a picture cannot be read @throws {NumericError} if a latent is not finite
 */
export async function encodePictures(
  encoder: PairEncoder, pair: PreferencePair, buckets: readonly Size[],
): Promise<EncodedPictures> {
  const { device } = encoder
  const files = await pair.pictures()
  const [winner, loser] = [await readPicture(pair.origin, files.chosen), await readPicture(pair.origin, files.rejected)]
  const size = bucketFor(winner, buckets)
  using chosen = await fit(device, winner, size)
  using rejected = await fit(device, loser, size)
  const { shape, data } = await valuesOf(encoder.moments(concat([chosen.pixels, rejected.pixels])), pair.origin)
  const [, ...rest] = shape
  const half = data.length / 2
  const part = (from: number): ShardTensor => ({ shape: rest, data: data.slice(from, from + half) })
  const { original, crop } = chosen
  return { size, original, crop, moments: { chosen: part(0), rejected: part(half) } }
}

/** What the denoiser is told of a prompt, on the host. @throws {NumericError} if a number is not finite */
export async function encodePrompt(encoder: PairEncoder, prompt: string): Promise<Map<string, ShardTensor>> {
  const tensors = Object.entries(encoder.prompt(prompt))
  await evaluate(...tensors.map(([, t]) => t))
  const values = new Map<string, ShardTensor>()
  for (const [name, t] of tensors) {
    const { shape: [, ...shape], data } = await valuesOf(t, JSON.stringify(prompt.slice(0, 60)))
    values.set(name, { shape, data })
  }
  return values
}

async function valuesOf(made: Tensor, where: string): Promise<ShardTensor> {
  using t = made
  const data = Float32Array.from(await t.data())
  const bad = data.findIndex((v) => !Number.isFinite(v))
  if (bad < 0) return { shape: t.shape, data }
  throw new NumericError(
    `encodePairs: ${where}: expected finite numbers, got ${data[bad]}; load the encoders in f32`, { where },
  )
}
