import { concat, evaluate, type Tensor } from '@antipode/core'
import type { AutoencoderKL } from '@antipode/models'
import { toAutoencoder } from '../latents/index.ts'

/** Latents `[B, C, h, w]` -> pixels `[B, 3, H, W]` in [0, 1], image by image, so that the memory is that of one. */
export async function decode(vae: AutoencoderKL, latents: Tensor, signal: AbortSignal | undefined): Promise<Tensor> {
  const images: Tensor[] = []
  try {
    for (let row = 0; row < (latents.shape[0] ?? 0); row++) {
      signal?.throwIfAborted()
      const pixels = vae.decode(toAutoencoder(vae, latents.slice(0, row, row + 1))).div(2).add(0.5).clamp(0, 1)
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
