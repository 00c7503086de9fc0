import type { Tensor } from '@antipode/core'

/** Rows `[B, width]` divided by their lengths, in f32. */
export function unit(rows: Tensor): Tensor {
  const x = rows.to('f32')
  return x.div(x.square().sum({ axes: 1, keepDims: true }).sqrt())
}
