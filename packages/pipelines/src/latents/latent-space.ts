import { constant, type Tensor } from '@antipode/core'
import type { AutoencoderKL } from '@antipode/models'

/**
 * Latents as the UNet knows them, from those of the autoencoder: `(z − shift)·scale`, or, of checkpoints that have a
 * mean and a deviation for each channel, `(z − mean)·scale/std`.
 */
export function toUNet({ config }: AutoencoderKL, z: Tensor): Tensor {
  const { scale, shift, mean, std } = numbersOf(config, z)
  return mean && std ? z.sub(mean).mul(scale).div(std) : (shift === 0 ? z : z.sub(shift)).mul(scale)
}

/** The other way. */
export function toAutoencoder({ config }: AutoencoderKL, x: Tensor): Tensor {
  const { scale, shift, mean, std } = numbersOf(config, x)
  if (mean && std) return x.mul(std).div(scale).add(mean)
  const z = x.div(scale)
  return shift === 0 ? z : z.add(shift)
}

interface Numbers {
  readonly scale: number
  readonly shift: number
  readonly mean: Tensor | undefined
  readonly std: Tensor | undefined
}

function numbersOf(config: AutoencoderKL['config'], { device }: Tensor): Numbers {
  const channel = (values: readonly number[] | null | undefined): Tensor | undefined =>
    values ? constant(device, [...values], [1, values.length, 1, 1]) : undefined
  // diffusers' default, that of Stable Diffusion 1.x and 2.x.
  return {
    scale: config.scaling_factor ?? 0.18215,
    shift: config.shift_factor ?? 0,
    mean: channel(config.latents_mean),
    std: channel(config.latents_std),
  }
}
