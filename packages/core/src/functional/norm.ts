import { norm } from '@antipode/kernels-wgsl'
import { ShapeError } from '../errors.ts'
import { apply1, type Tensor } from '../graph/index.ts'

/** Learned scale and shift of a normalisation, and the number that keeps its root positive. */
export interface NormOptions {
  readonly weight?: Tensor | undefined
  readonly bias?: Tensor | undefined
  readonly eps?: number
  /** Applied to what is normalised, in the same kernel; what it is applied to is not kept for the backward pass. */
  readonly activation?: 'silu' | undefined
}

function normalise(x: Tensor, groups: number, rms: boolean, { weight, bias, eps = 1e-5, activation }: NormOptions): Tensor {
  const affine = weight ? (bias ? 'both' : 'weight') : 'none'
  return apply1(norm, [x, ...(weight ? [weight] : []), ...(weight && bias ? [bias] : [])], { groups, eps, rms, affine, activation })
}

/**
 * Group normalisation (Wu & He 2018): x `[B,C,...]` to zero mean and unit variance over each group of C/groups channels.
 * weight and bias `[C]`. @throws {ShapeError} unless groups divides C
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  return normalise(x, groups, false, options)
}

/** Layer normalisation (Ba et al. 2016) over the last axis, of size D; weight and bias `[D]`. */
export function layerNorm(x: Tensor, options: NormOptions = {}): Tensor {
  return overLast(x, false, options)
}

/** Root-mean-square normalisation (Zhang & Sennrich 2019) over the last axis; weight `[D]`. */
export function rmsNorm(x: Tensor, { eps = 1e-6, ...options }: NormOptions = {}): Tensor {
  return overLast(x, true, { ...options, eps })
}

function overLast(x: Tensor, rms: boolean, options: NormOptions): Tensor {
  const last = x.shape.at(-1)
  if (last === undefined) throw new ShapeError('layerNorm: expected a tensor with at least one axis, got a scalar')
  return normalise(x.reshape([-1, last]), 1, rms, options).reshape(x.shape)
}
