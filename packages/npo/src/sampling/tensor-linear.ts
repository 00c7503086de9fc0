import { linearCombination, type Tensor } from '@antipode/core'
import type { Linear } from '@antipode/schedulers'

/** How schedulers combine tensors: one fused kernel a sum, its coefficients run-time values. */
export const tensorLinear: Linear<Tensor> = {
  combine: (terms) => linearCombination(terms),
  clamp: (x, lo, hi) => x.clamp(lo, hi),
}
