import { ShapeError, type Tensor, where } from '@antipode/core'
import { atLeast, between, callable, checkOptions, required } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'

/** Classifier-free guidance between two denoisers. */
export interface CfgOptions<C extends Condition> {
  /** What to move towards, θ + η. */
  readonly positive: Denoiser<C>
  /** What to move away from: the same model for ordinary guidance, θ + α·η + β·δ for negative preference optimisation. */
  readonly negative: Denoiser<C>
  /** w ≥ 0, finite: 1 is the positive prediction alone, 0 the negative one. Diffusion-NPO writes w = ω + 1. */
  readonly scale: number
  /** The condition of the negative branch: the empty prompt or null class, from the positive one. */
  readonly unconditional: (condition: C) => C
  /** φ in [0, 1]: how far the result's standard deviation is drawn to the positive prediction's; 0, the default, leaves it. */
  readonly rescale?: number
}

/**
 * `e = e_neg + w·(e_pos − e_neg)` (Ho & Salimans 2022; with `negative` trained on what people do not want, this is
 * Diffusion-NPO, arXiv 2505.11245). The branches are separate forward passes, so they may carry different weights.
 * At w = 1 the negative branch is not run and the result is exactly the positive prediction.
 * `rescale` is Lin et al. 2023 (arXiv 2305.08891, eq. 15–16), with the sample standard deviation over all elements. A sample
 * whose guided prediction is the same everywhere has none to draw, and stays as it is.
 * @throws {ConfigError} if an option is unknown, or outside its range
 */
export function cfg<C extends Condition>(options: CfgOptions<C>): Denoiser<C> {
  checkOptions('cfg', options, {
    positive: required(callable), negative: required(callable), scale: required(atLeast(0)), unconditional: required(callable), rescale: between(0, 1),
  })
  const { positive, negative, scale, unconditional, rescale = 0 } = options
  if (scale === 1) return positive
  return (x, timesteps, condition) => {
    const away = negative(x, timesteps, unconditional(condition))
    const towards = positive(x, timesteps, condition)
    if (away.shape.join() !== towards.shape.join()) {
      throw new ShapeError(`cfg: expected predictions of one shape, got [${towards.shape.join()}] and [${away.shape.join()}]; pass branches of one model`)
    }
    const guided = away.add(towards.sub(away).mul(scale))
    return rescale === 0 ? guided : guided.mul(drawn(guided, towards).mul(rescale).add(1 - rescale).to(guided.dtype))
  }
}

/** What brings each sample to the deviation of another, `[B, 1, …]` f32: 1 where it has none. */
function drawn(sample: Tensor, like: Tensor): Tensor {
  const [own, wanted] = [squaresOf(sample), squaresOf(like)]
  const [flat, wantedFlat] = [own.eq(0), wanted.eq(0)]
  // The root's slope at 0 is infinite, also where its result is not taken: there it is the root of 1.
  const ratio = wanted.add(wantedFlat).sqrt().div(own.add(flat).sqrt())
  return where(flat, 1, where(wantedFlat, 0, ratio))
}

/** Sum of squared distances of each sample's elements from their mean, `[B, 1, …]` f32; in a ratio the n − 1 of deviations cancel. */
function squaresOf(sample: Tensor): Tensor {
  const [batch = 1] = sample.shape
  // The squares of a latent of SDXL, 65,536 elements, add up to more than f16 can hold.
  const x = sample.to('f32').reshape([batch, sample.size / batch])
  // From the first element, so that a sample that is the same everywhere has exactly 0, which its mean may round away from.
  const moved = x.sub(x.slice(1, 0, 1))
  const squares = moved.sub(moved.mean({ axes: 1, keepDims: true })).square().sum({ axes: 1, keepDims: true })
  return squares.reshape([batch, ...sample.shape.slice(1).map(() => 1)])
}
