import { ConfigError, type Tensor } from '@antipode/core'
import type { Condition, Denoiser } from '../denoiser.ts'

/** Classifier-free guidance between two denoisers. */
export interface CfgOptions<C extends Condition> {
  /** What to move towards, θ + η. */
  readonly positive: Denoiser<C>
  /** What to move away from: the same model for ordinary guidance, θ + α·η + β·δ for negative preference optimisation. */
  readonly negative: Denoiser<C>
  /** w ≥ 0: 1 is the positive prediction alone, 0 the negative one. Diffusion-NPO writes w = ω + 1. */
  readonly scale: number
  /** The condition of the negative branch: the empty prompt or null class, from the positive one. */
  readonly unconditional: (condition: C) => C
  /** φ in [0, 1]: how far the result's standard deviation is drawn to the positive prediction's; 0 leaves it. */
  readonly rescale?: number
}

/**
 * `e = e_neg + w·(e_pos − e_neg)` (Ho & Salimans 2022; with `negative` trained on what people do not want, this is
 * Diffusion-NPO, arXiv 2505.11245). The branches are separate forward passes, so they may carry different weights.
 * At w = 1 the negative branch is not run and the result is exactly the positive prediction.
 * `rescale` is Lin et al. 2023 (arXiv 2305.08891, eq. 15–16), with the sample standard deviation over all elements.
 * @throws {ConfigError} if the scale is negative or not finite, or rescale is outside [0, 1]
 */
export function cfg<C extends Condition>(options: CfgOptions<C>): Denoiser<C> {
  const { positive, negative, scale, unconditional, rescale = 0 } = options
  if (!(Number.isFinite(scale) && scale >= 0)) {
    throw new ConfigError(`cfg: expected a guidance scale of 0 or more, got ${scale}; 1 is no guidance`)
  }
  if (!(rescale >= 0 && rescale <= 1)) throw new ConfigError(`cfg: expected rescale in [0, 1], got ${rescale}; 0 is none`)
  if (scale === 1) return positive
  return (x, timesteps, condition) => {
    const away = negative(x, timesteps, unconditional(condition))
    const towards = positive(x, timesteps, condition)
    const guided = away.add(towards.sub(away).mul(scale))
    if (rescale === 0) return guided
    const factor = deviation(towards).div(deviation(guided)) // [B, 1, …]
    return guided.mul(factor.mul(rescale).add(1 - rescale).to(guided.dtype))
  }
}

/** Standard deviation of each sample over all its elements, with n − 1 in the denominator: `[B, 1, …]`, f32. */
function deviation(sample: Tensor): Tensor {
  // The squares of a latent of SDXL, 65,536 elements, add up to more than f16 can hold.
  const x = sample.to('f32')
  const axes = x.shape.map((_, i) => i).slice(1)
  const centred = x.sub(x.mean({ axes, keepDims: true }))
  const n = x.size / (x.shape[0] ?? 1)
  return centred.square().sum({ axes, keepDims: true }).div(n - 1).sqrt()
}
