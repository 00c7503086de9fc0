import { type DType, inBlocks } from '@antipode/kernels-wgsl'
import type { Tensor } from './tensor.ts'

/** A weight to multiply by: one in blocks as numbers of a type, which are computed anew for each use; others as they are. */
export function asNumbers(weight: Tensor, dtype: DType): Tensor {
  return inBlocks(weight.dtype) ? weight.to(dtype) : weight
}
