import { evaluate, type Tensor } from '@antipode/core'
import { abortSignal, checkOptions, either, flag, anObject } from '@antipode/core/options'
import { AutoencoderKL, type AutoencoderTiny, type InPartsOptions } from '@antipode/models'
import { tilesFor } from '../run/index.ts'
import { type Pixels, type PixelSource, postprocessImages, preprocessImages } from '../images/index.ts'

/** Options of {@link reconstruct}. */
export type ReconstructOptions = Pick<InPartsOptions, 'tiling' | 'signal'>

/** What an autoencoder leaves of a picture. */
export interface Reconstruction {
  /** The picture as it comes back. */
  readonly picture: Pixels
  /** Of its latents, `[1, C, h, w]`. */
  readonly latents: readonly number[]
  /** Peak signal-to-noise ratio to the picture as it went in, before it is rounded: `−10·log₁₀` of the mean square. */
  readonly decibels: number
}

/**
 * A picture encoded and decoded again, with the most likely latents, and how near it comes. Sides are those of the
 * picture, resized down to a multiple of the autoencoder's scale.
 * @throws {ShapeError} if it is no picture, or smaller than a latent @throws {ConfigError} if an option is none
 */
export async function reconstruct(
  vae: AutoencoderKL | AutoencoderTiny,
  picture: PixelSource,
  options: ReconstructOptions = {},
): Promise<Reconstruction> {
  checkOptions('reconstruct', options, { tiling: either(flag, anObject('size and overlap of tiles')), signal: abortSignal })
  using x = await preprocessImages(vae.device, picture, { multiple: vae.scale })
  const [, , height = 1, width = 1] = x.shape
  const shape = [1, vae.config.latent_channels ?? 4, height / vae.scale, width / vae.scale]
  const parts = { tiling: tilesFor(vae, { shape }), ...options }
  using latents = await latentsOf(vae, x, parts)
  using image = await vae.decodeInParts(latents, parts)
  using squares = image.to('f32').clamp(-1, 1).sub(x).div(2).square().mean()
  await evaluate(squares)
  const [shown] = await postprocessImages(image)
  return {
    picture: shown as Pixels, // of one
    latents: latents.shape,
    decibels: -10 * Math.log10(await squares.item()),
  }
}

async function latentsOf(
  vae: AutoencoderKL | AutoencoderTiny,
  x: Tensor,
  options: ReconstructOptions,
): Promise<Tensor> {
  if (!(vae instanceof AutoencoderKL)) return await vae.encodeInParts(x, options)
  const { mean, moments } = await vae.encodeInParts(x, options)
  try {
    await evaluate(mean)
    return mean
  } finally {
    moments.dispose()
  }
}
