import { zeros } from '@antipode/core'
import { atLeast, checkOptions, required, whole } from '@antipode/core/options'
import { extrapolated } from './classifier-free.ts'
import type { Guider } from './guider.ts'
import { dots, tiny } from './per-sample.ts'

/** Options of {@link cfgZeroStar}. */
export interface CfgZeroStarOptions {
  /** w ≥ 0, finite; at 1 the positive prediction alone is the result. */
  readonly scale: number
  /** Calls at the beginning whose result is 0, so that the sample stays as it is: whole, 0 or more; 1 by default. */
  readonly zeroSteps?: number
}

/**
 * CFG-Zero*: guidance away from the negative prediction at the length that comes nearest to the positive one,
 * `e = s·e_neg + w·(e_pos − s·e_neg)` with `s = e_pos·e_neg / e_neg·e_neg` of each sample, and no step at all at the
 * beginning, where a flow knows least. Made for flow models: in a diffusion a prediction of 0 is a claim of no noise, so
 * there take `zeroSteps: 0`. Computed in f32 from the predictions on.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: Fan et al. 2025, arXiv 2503.18886, algorithm 1.
 */
export function cfgZeroStar(options: CfgZeroStarOptions): Guider {
  checkOptions('cfgZeroStar', options, { scale: required(atLeast(0)), zeroSteps: whole(0) })
  const { scale, zeroSteps = 1 } = options
  return {
    active: ({ step }) => step < zeroSteps || scale !== 1,
    guide({ positive, negative }, { step, state }) {
      if (step < zeroSteps) {
        return { prediction: zeros(positive.device, positive.shape, { dtype: positive.dtype }), state }
      }
      const [towards, away] = [positive.to('f32'), negative.to('f32')]
      // A negative prediction of nothing has no length to choose.
      const fitted = away.mul(dots(towards, away).div(dots(away, away).maximum(tiny)))
      return { prediction: extrapolated({ positive: towards, negative: fitted }, scale).to(positive.dtype), state }
    },
  }
}
