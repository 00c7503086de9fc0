import { minimum, type Tensor } from '@antipode/core'
import { atLeast, between, checkOptions, finite, positive as aboveZero, required } from '@antipode/core/options'
import type { Guider } from './guider.ts'
import { dots, lengths, tiny } from './per-sample.ts'
import { rescaled } from './rescale.ts'

/** Options of {@link apg}. */
export interface ApgOptions {
  /** w ≥ 0, finite; at 1 the positive prediction alone is the result. */
  readonly scale: number
  /**
   * What is kept of the differences of earlier calls, finite; below 0, as the paper has it, the new one is pushed away
   * from them. None by default.
   */
  readonly momentum?: number
  /**
   * Largest length of a sample's difference, positive and finite; longer ones are shortened to it. Without it none are.
   */
  readonly threshold?: number
  /** What is kept of the part along the positive prediction, finite: 0 by default, as in the paper; 1 keeps all. */
  readonly eta?: number
  /** φ in [0, 1], see {@link classifierFree}. */
  readonly rescale?: number
}

/**
 * Adaptive projected guidance: guidance by the part of `d = e_pos − e_neg` that is orthogonal to e_pos, which does not
 * oversaturate at high scales, `e = e_neg + w·(d_⊥ + η·d_∥)`. All is computed in f32 from the predictions on.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Sadat et al. 2024, arXiv 2410.02416, algorithm 1, which adds to e_pos instead; here as diffusers has it, so
 * that η = 1 alone is classifier-free guidance either way.
 */
export function apg(options: ApgOptions): Guider {
  checkOptions('apg', options, {
    scale: required(atLeast(0)), momentum: finite, threshold: aboveZero, eta: finite, rescale: between(0, 1),
  })
  const { scale, momentum, threshold, eta = 0, rescale = 0 } = options
  return {
    active: () => scale !== 1,
    guide({ positive, negative }, { state }) {
      const [towards, away] = [positive.to('f32'), negative.to('f32')]
      const before = state['difference']
      const fresh = towards.sub(away)
      const difference = momentum !== undefined && before ? fresh.add(before.mul(momentum)) : fresh
      const short = threshold === undefined ? difference : shortened(difference, threshold)
      // d_∥ = (d·e/e·e)·e; without a direction nothing is along it.
      const along = towards.mul(dots(short, towards).div(dots(towards, towards).maximum(tiny)))
      const moved = short.add(along.mul(eta - 1))
      return {
        prediction: rescaled(away.add(moved.mul(scale)), towards, rescale).to(positive.dtype),
        state: momentum === undefined ? state : { ...state, difference },
      }
    },
  }
}

/** Samples longer than a threshold brought to it; others stay as they are, to the bit. */
function shortened(samples: Tensor, threshold: number): Tensor {
  return samples.mul(minimum(lengths(samples).pow(-1).mul(threshold), 1))
}
