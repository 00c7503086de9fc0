import { checkpoint, concat, ConfigError, tensor, type Tensor } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'
import type { UNet2DCondition } from '@antipode/models'
import { toAutoencoder } from '../latents/index.ts'
import type { Components } from '../run/index.ts'
import { pairEncoder } from './encoder.ts'

/** What training on a model's own samples needs of a pipeline, besides its UNet. */
export interface SamplingParts {
  /** What the UNet is told of prompts, a row each. */
  prompts(texts: readonly string[]): UNet2DCondition
  /** Latents `[B, C, h, w]` -> pictures `[B, 3, H, W]` in [0, 1]; the gradient computes the decoder again. */
  pictures(latents: Tensor): Tensor
  /** Shape of the latents of so many pictures. */
  shape(count: number): readonly number[]
}

/**
 * Parts of a pipeline as samples and their rewards are made with gradients.
 * @param resolution pixels of a square's side, a multiple of what a latent stands for
 * @throws {ConfigError} if it is not, or the components are those of another kind of pipeline
 */
export function samplingParts(components: Components, resolution: number): SamplingParts {
  const { unet, vae } = components
  const { prompt } = pairEncoder(components)
  checkArgument('samplingParts', 'resolution', resolution, whole(vae.scale))
  if (resolution % vae.scale !== 0) {
    throw new ConfigError(`samplingParts: expected resolution to be a multiple of ${vae.scale}, got ${resolution}`)
  }
  const side = resolution / vae.scale
  return {
    prompts(texts) {
      const rows = texts.map((text): Readonly<Record<string, Tensor>> => prompt(text))
      const names = Object.keys(rows[0] ?? {})
      const told = Object.fromEntries(names.map((name) => [name, concat(rows.map((row) => row[name] as Tensor))]))
      if (!('textEmbeds' in told)) return told
      const size = [resolution, resolution]
      const ids = texts.flatMap(() => [...size, 0, 0, ...size])
      return { ...told, timeIds: tensor(unet.device, ids, [texts.length, 6]) }
    },
    pictures: (latents) => checkpoint((z) => vae.decode(toAutoencoder(vae, z)), latents).mul(0.5).add(0.5).clamp(0, 1),
    shape: (count) => [count, unet.config.in_channels ?? 4, side, side],
  }
}
