import { norm } from '@antipode/kernels-wgsl'
import { ConfigError, ShapeError } from '../errors.ts'
import { apply1, type Tensor } from '../graph/index.ts'
import { atLeast, checkArgument, checkOptions, oneOf, whole } from '../options/index.ts'
import { aTensor } from './ranges.ts'

/** Learned scale and shift of a normalisation, and the number that keeps its root positive. */
export interface NormOptions {
  readonly weight?: Tensor | undefined
  /** Needs a weight beside it. */
  readonly bias?: Tensor | undefined
  /** A finite number of 0 or more; 1e-5 by default, 1e-6 of {@link rmsNorm}. */
  readonly eps?: number
  /** Applied to what is normalised, in the same kernel; what it is applied to is not kept for the backward pass. */
  readonly activation?: 'silu' | undefined
}

const ranges = { weight: aTensor, bias: aTensor, eps: atLeast(0), activation: oneOf('silu') }
const groupsRange = whole(1)

function checkNorm(where: string, options: NormOptions): void {
  checkOptions(where, options, ranges)
  if (options.bias && !options.weight) throw new ConfigError(`${where}: expected a weight beside the bias, got none; pass ones, or add the bias yourself`)
}

function normalise(x: Tensor, groups: number, rms: boolean, { weight, bias, eps = 1e-5, activation }: NormOptions): Tensor {
  const affine = weight ? (bias ? 'both' : 'weight') : 'none'
  return apply1(norm, [x, ...(weight ? [weight] : []), ...(weight && bias ? [bias] : [])], { groups, eps, rms, affine, activation })
}

/**
 * Group normalisation (Wu & He 2018): x `[B,C,...]` to zero mean and unit variance over each group of C/groups channels.
 * weight and bias `[C]`. @throws {ShapeError} unless groups divides C @throws {ConfigError} if groups or an option is none
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  checkArgument('groupNorm', 'groups', groups, groupsRange)
  checkNorm('groupNorm', options)
  return normalise(x, groups, false, options)
}

/**
 * Layer normalisation (Ba et al. 2016) over the last axis, of size D; weight and bias `[D]`.
 * @throws {ShapeError} if x is a scalar @throws {ConfigError} if an option is none
 */
export function layerNorm(x: Tensor, options: NormOptions = {}): Tensor {
  checkNorm('layerNorm', options)
  return overLast('layerNorm', x, false, options)
}

/**
 * Root-mean-square normalisation (Zhang & Sennrich 2019) over the last axis; weight `[D]`.
 * @throws {ShapeError} if x is a scalar @throws {ConfigError} if an option is none
 */
export function rmsNorm(x: Tensor, options: NormOptions = {}): Tensor {
  checkNorm('rmsNorm', options)
  return overLast('rmsNorm', x, true, { ...options, eps: options.eps ?? 1e-6 })
}

function overLast(where: string, x: Tensor, rms: boolean, options: NormOptions): Tensor {
  const last = x.shape.at(-1)
  if (last === undefined) throw new ShapeError(`${where}: expected a tensor with at least one axis, got a scalar`)
  return normalise(x.reshape([-1, last]), 1, rms, options).reshape(x.shape)
}
