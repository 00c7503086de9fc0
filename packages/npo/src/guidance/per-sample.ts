import type { Tensor } from '@antipode/core'

/** Above it every square of f32 is exact enough to divide by. */
export const tiny = 1e-30

/** Products of two samples' elements added up, `[B, 1, …]`. */
export function dots(a: Tensor, b: Tensor): Tensor {
  return a.mul(b).sum({ axes: a.shape.slice(1).map((_, i) => i + 1), keepDims: true })
}

/** Length of each sample over all its elements, `[B, 1, …]`: never below √{@link tiny}, so that its slope has a bound. */
export function lengths(samples: Tensor): Tensor {
  return dots(samples, samples).maximum(tiny).sqrt()
}
