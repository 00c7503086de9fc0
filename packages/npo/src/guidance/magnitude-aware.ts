import { atLeast, checkOptions, required } from '@antipode/core/options'
import type { Guider } from './guider.ts'
import { lengths } from './per-sample.ts'

/** Options of {@link magnitudeAware}. */
export interface MagnitudeAwareOptions {
  /** w ≥ 0, finite, where the predictions agree; at 1 the positive prediction alone is the result. */
  readonly scale: number
  /** α ≥ 0, finite: how fast the scale falls as they part; 8 by default, at 0 it stays. */
  readonly alpha?: number
}

/**
 * Magnitude-aware guidance (MaMBO-G): the further the predictions of a sample part, as they do early in a run, the less
 * they are extrapolated, `e = e_neg + w'·(e_pos − e_neg)` with `w' = 1 + (w − 1)·exp(−α·‖e_pos − e_neg‖/‖e_neg‖)` of each
 * sample. Computed in f32.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: diffusers `guiders/magnitude_aware_guidance.py`; Wang et al. 2025, arXiv 2508.03442.
 */
export function magnitudeAware(options: MagnitudeAwareOptions): Guider {
  checkOptions('magnitudeAware', options, { scale: required(atLeast(0)), alpha: atLeast(0) })
  const { scale, alpha = 8 } = options
  return {
    active: () => scale !== 1,
    guide({ positive, negative }, { state }) {
      const [towards, away] = [positive.to('f32'), negative.to('f32')]
      const difference = towards.sub(away)
      const parted = lengths(difference).div(lengths(away))
      const own = parted.mul(-alpha).exp().mul(scale - 1).add(1)
      return { prediction: away.add(difference.mul(own)).to(positive.dtype), state }
    },
  }
}
