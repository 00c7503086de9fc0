import { atLeast, checkOptions, required } from '@antipode/core/options'
import { extrapolated } from './classifier-free.ts'
import type { Guider } from './guider.ts'
import { dots, tiny } from './per-sample.ts'

/** Options of {@link tangential}. */
export interface TangentialOptions {
  /** w ≥ 0, finite; at 1 the positive prediction alone is the result. */
  readonly scale: number
}

/**
 * Tangential damping (TCFG): of the negative prediction only what lies along the direction that both predictions have
 * most in common is guided away from, `e = u + w·(e_pos − u)`, where u is e_neg projected on the first right singular
 * vector of the two rows e_pos and e_neg of a sample.
 *
 * That vector is p = v₀·e_pos + v₁·e_neg, with v the first eigenvector of the 2×2 matrix of dot products
 * `[[a, b], [b, c]]`. In the angle of v this is u = (b/2r)·e_pos + ½·(1 − (a − c)/2r)·e_neg with r² = ((a − c)/2)² + b²:
 * three sums, no decomposition. Computed in f32.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Kwon et al. 2025, arXiv 2503.18137, section 4.
 */
export function tangential(options: TangentialOptions): Guider {
  checkOptions('tangential', options, { scale: required(atLeast(0)) })
  const { scale } = options
  return {
    active: () => scale !== 1,
    guide({ positive, negative }, { state }) {
      const [towards, away] = [positive.to('f32'), negative.to('f32')]
      const common = dots(towards, away)
      const half = dots(towards, towards).sub(dots(away, away)).mul(0.5)
      // Where it is 0 all directions are alike: half of e_neg lies along one of them.
      const radius = half.square().add(common.square()).maximum(tiny).sqrt()
      const kept = away.mul(half.div(radius).mul(-0.5).add(0.5)).add(towards.mul(common.div(radius).mul(0.5)))
      return { prediction: extrapolated({ positive: towards, negative: kept }, scale).to(positive.dtype), state }
    },
  }
}
