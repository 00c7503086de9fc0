import { type Tensor, stopGradient } from '@antipode/core'
import { atLeast, checkOptions } from '@antipode/core/options'
import type { AutoencoderKL } from '@antipode/models'
import type { LossAndMetrics } from '@antipode/npo'

/** Weights of {@link autoencoderLoss}. */
export interface AutoencoderWeights {
  /** Of the pull of latents to unit normal noise, a mean over latents; finite, 0 or more, 1e-4 by default. */
  readonly kl?: number
  /** Of the error of edges beside that of pixels; finite, 0 or more, 1 by default. */
  readonly edges?: number
}

/**
 * How far pictures are from what an autoencoder makes of their latents: the mean error of pixels, plus that of the
 * differences of neighbouring pixels, which holds edges sharp where a mean of colours would do for the former, plus the
 * divergence of latents from unit normal noise.
 * @param images `[B, 3, H, W]` in [−1, 1]
 * @param noise unit normal, of the shape of the latents
 * @returns the loss, and the metrics `pixels`, `edges` and `kl` without their weights
 * @throws {ConfigError} if a weight is none
 * Sources: Kingma and Welling 2013, arXiv 1312.6114, eq. 10; the error of edges: Mathieu et al. 2015, arXiv 1511.05440,
 * section 3.2, with α = 1. Rombach et al. 2022 (arXiv 2112.10752, section 3.1) have a perceptual and an adversarial term
 * in place of the latter, which need other networks.
 */
export function autoencoderLoss(
  vae: AutoencoderKL, images: Tensor, noise: Tensor, weights: AutoencoderWeights = {},
): LossAndMetrics {
  checkOptions('autoencoderLoss', weights, { kl: atLeast(0), edges: atLeast(0) })
  const { kl: klWeight = 1e-4, edges: edgeWeight = 1 } = weights
  const latents = vae.encode(images)
  const error = vae.decode(latents.sample(noise)).sub(images)
  const pixels = error.abs().mean()
  const edges = along(error, 3).add(along(error, 2))
  const kl = latents.kl().div(noise.size / (noise.shape[0] ?? 1)).mean()
  const loss = pixels.add(edges.mul(edgeWeight)).add(kl.mul(klWeight))
  return { loss, metrics: { pixels: stopGradient(pixels), edges: stopGradient(edges), kl: stopGradient(kl) } }
}

/** Mean size of the differences of neighbours along an axis. */
function along(error: Tensor, axis: number): Tensor {
  const last = (error.shape[axis] ?? 1) - 1
  return error.slice(axis, 1).sub(error.slice(axis, 0, last)).abs().mean()
}
