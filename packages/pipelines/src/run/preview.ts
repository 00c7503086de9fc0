import { ConfigError, type Tensor } from '@antipode/core'
import { AutoencoderTiny } from '@antipode/models'
import { type Pixels, postprocessImages } from '../images/index.ts'

/** Colours of latents as a matrix: red, green and blue in [−1, 1] for each channel, and what is added. */
export interface LatentColours {
  readonly weights: readonly (readonly [red: number, green: number, blue: number])[]
  readonly bias?: readonly [red: number, green: number, blue: number]
}

/** How pictures are shown before they are done: by a matrix, or by a tiny autoencoder. */
export type PreviewBy = boolean | AutoencoderTiny

/**
 * Latents as the UNet knows them, `[B, C, h, w]`, as pictures: by a tiny autoencoder in their full size, or a pixel for
 * each latent.
 */
export async function previewOf(latents: Tensor, by: PreviewBy, colours: LatentColours): Promise<Pixels[]> {
  if (!(by instanceof AutoencoderTiny)) return coloured(latents, colours)
  const { scaling_factor: scale = 1, shift_factor: shift = 0 } = by.config
  using picture = by.decode(latents.div(scale).add(shift))
  return await postprocessImages(picture)
}

/** @throws {ConfigError} unless the preview takes latents of so many channels */
export function checkPreview(where: string, by: PreviewBy | undefined, channels: number): void {
  const takes = by instanceof AutoencoderTiny ? by.config.latent_channels ?? 4 : channels
  if (takes === channels) return
  throw new ConfigError(
    `${where}: expected preview to decode latents of ${channels} channels, got an autoencoder of ${takes}; pass that ` +
      'of this family, TAESD or TAESDXL',
  )
}

async function coloured(latents: Tensor, { weights, bias = [0, 0, 0] }: LatentColours): Promise<Pixels[]> {
  const [batch = 1, channels = 1, height = 1, width = 1] = latents.shape
  const values = await latents.data()
  const plane = height * width
  return Array.from({ length: batch }, (_, b) => {
    const data = new Uint8ClampedArray(4 * plane).fill(255)
    for (let i = 0; i < plane; i++) {
      bias.forEach((add, c) => {
        const colour = weights.reduce((sum, row, k) => sum + row[c]! * values[(b * channels + k) * plane + i]!, add)
        data[4 * i + c] = 127.5 * (colour + 1)
      })
    }
    return { data, width, height }
  })
}
