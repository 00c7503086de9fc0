import { conv2d as op, reshape, upsample, upsampleGrad } from '@antipode/kernels-wgsl'
import { apply1, asNumbers, type Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, either, whole } from '../options/index.ts'
import { aTensor, countsOf } from './ranges.ts'

/** Options of {@link conv2d}; a pair is [vertical, horizontal]. */
export interface Conv2dOptions {
  readonly bias?: Tensor | undefined
  /** Whole numbers of 1 or more, 1 by default. */
  readonly stride?: number | readonly [number, number]
  /** Zeros on every side, per direction, or as `[top, left, bottom, right]`: whole numbers of 0 or more, 0 by default. */
  readonly padding?: number | readonly [number, number] | readonly [number, number, number, number]
  /** Parts into which the channels are cut, each convolved by itself: a whole number of 1 or more, 1 by default. */
  readonly groups?: number
}

const ranges = { bias: aTensor, stride: either(whole(1), countsOf(1, 2)), padding: either(whole(0), countsOf(0, 2, 4)), groups: whole(1) }
const counting = whole(1)

const pair = (x: number | readonly [number, number]): readonly [number, number] => (typeof x === 'number' ? [x, x] : x)

/**
 * 2-D convolution. x `[B,C,H,W]`, w `[O, C/groups, kH, kW]`, bias `[O]` -> `[B,O,H',W']`.
 * @throws {ShapeError} if channels, groups or the kernel do not fit @throws {ConfigError} if an option is none
 */
export function conv2d(x: Tensor, w: Tensor, options: Conv2dOptions = {}): Tensor {
  checkOptions('conv2d', options, ranges)
  const { bias, stride = 1, padding = 0, groups = 1 } = options
  const p = typeof padding !== 'number' && padding.length === 4 ? padding : pair(padding as number | readonly [number, number])
  const y = apply1(op, [x, asNumbers(w, x.dtype)], { stride: pair(stride), padding: p.length === 4 ? p : [p[0], p[1], p[0], p[1]], groups })
  return bias ? y.add(apply1(reshape, [bias], { shape: [1, bias.size, 1, 1] })) : y
}

/**
 * `x·wᵀ + bias` over the last axis. x `[..., in]`, w `[out, in]`, bias `[out]` -> `[..., out]`.
 * @throws {ShapeError} if the last axis of x is not `in`
 */
export function linear(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  // One product of all rows: leading axes are rows alike.
  const rows = x.rank === 2 ? x : x.reshape([-1, x.shape.at(-1) ?? 1])
  const y = rows.matmul(asNumbers(w, x.dtype), { transposeB: true }).reshape([...x.shape.slice(0, -1), w.shape[0] ?? 1])
  return bias ? y.add(bias) : y
}

/**
 * Nearest-neighbour enlargement by a whole factor: `[B,C,H,W] -> [B, C, H·factor, W·factor]`.
 * @throws {ShapeError} if x is no image @throws {ConfigError} unless the factor is a whole number of 1 or more
 */
export function upsampleNearest2d(x: Tensor, factor = 2): Tensor {
  checkArgument('upsampleNearest2d', 'factor', factor, counting)
  return apply1(upsample, [x], { factor })
}

/**
 * Mean over non-overlapping windows: `[B,C,H,W] -> [B, C, H/size, W/size]`.
 * @throws {ShapeError} if x is no image or `size` does not divide its sides @throws {ConfigError} unless `size` is a whole number of 1 or more
 */
export function avgPool2d(x: Tensor, size = 2): Tensor {
  checkArgument('avgPool2d', 'size', size, counting)
  return apply1(upsampleGrad, [x], { factor: size }).mul(1 / size ** 2)
}
