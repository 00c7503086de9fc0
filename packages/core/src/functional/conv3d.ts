import { conv2d as op } from '@antipode/kernels-wgsl'
import { ShapeError } from '../errors.ts'
import { apply1, asNumbers, type Tensor } from '../graph/index.ts'
import { checkOptions, either, whole } from '../options/index.ts'
import { aTensor, countsOf } from './ranges.ts'
import { pad, stack } from './shape.ts'

type Triple = readonly [number, number, number]

/** Options of {@link conv3d}; a triple is [frames, vertical, horizontal]. */
export interface Conv3dOptions {
  readonly bias?: Tensor | undefined
  /** Whole numbers of 1 or more, 1 by default. */
  readonly stride?: number | Triple
  /** Zeros on every side, per direction, or as `[before, top, left, after, bottom, right]`: whole numbers of 0 or more, 0 by default. */
  readonly padding?: number | Triple | readonly [number, number, number, number, number, number]
  /** Parts into which the channels are cut, each convolved by itself: a whole number of 1 or more, 1 by default. */
  readonly groups?: number
}

const ranges = { bias: aTensor, stride: either(whole(1), countsOf(1, 3)), padding: either(whole(0), countsOf(0, 3, 6)), groups: whole(1) }

/**
 * 3-D convolution. x `[B,C,F,H,W]`, w `[O, C/groups, kF, kH, kW]`, bias `[O]` -> `[B,O,F',H',W']`.
 *
 * The frames that a kernel sees become channels of one 2-D convolution, so that all is summed at once in f32. A kernel of one pixel
 * needs no copy of them: pixels are then columns of an image whose rows are frames.
 * @throws {ShapeError} if x is no video, or channels, groups or the kernel do not fit @throws {ConfigError} if an option is none
 */
export function conv3d(x: Tensor, w: Tensor, options: Conv3dOptions = {}): Tensor {
  checkOptions('conv3d', options, ranges)
  if (x.rank !== 5 || w.rank !== 5) throw new ShapeError(`conv3d: expected x [B,C,F,H,W] and w [O,C,kF,kH,kW], got [${x.shape.join()}] and [${w.shape.join()}]`)
  const { bias, groups = 1 } = options
  const [batch, channels, frames, height, width] = x.shape as [number, number, number, number, number]
  const [filters, each, kernelFrames, kernelHeight, kernelWidth] = w.shape as [number, number, number, number, number]
  const [step, down, across] = triple(options.stride ?? 1)
  const [before, top, left, after, bottom, right] = sides(options.padding ?? 0)
  const seen = frames + before + after
  const made = Math.floor((seen - kernelFrames) / step) + 1
  if (made < 1) throw new ShapeError(`conv3d: expected a kernel of at most ${seen} frames, got one of ${kernelFrames}; pad the frames`)
  const onePixel = kernelHeight * kernelWidth === 1 && down * across === 1 && top + left + bottom + right === 0
  const y = onePixel
    ? apply1(op, [x.reshape([batch, channels, frames, height * width]), asNumbers(w.reshape([filters, each, kernelFrames, 1]), x.dtype)],
        { stride: [step, 1], padding: [before, 0, after, 0], groups }).reshape([batch, filters, made, height, width])
    : overImages()
  return bias ? y.add(bias.reshape([1, -1, 1, 1, 1])) : y

  function overImages(): Tensor {
    // Cut into strides, the last frame of which a kernel sees may stand at the beginning of one.
    const padded = pad(x, 2, before, after + step - 1).permute([0, 2, 1, 3, 4]) // b f c h w
    const taps = Array.from({ length: kernelFrames }, (_, k) => {
      const run = padded.slice(1, k, k + made * step)
      return step === 1 ? run : run.reshape([batch, made, step, channels, height, width]).slice(2, 0, 1).squeeze(2)
    })
    const images = stack(taps, 3).reshape([batch * made, channels * kernelFrames, height, width])
    const kernels = asNumbers(w.reshape([filters, each * kernelFrames, kernelHeight, kernelWidth]), x.dtype)
    const out = apply1(op, [images, kernels], { stride: [down, across], padding: [top, left, bottom, right], groups })
    return out.reshape([batch, made, ...out.shape.slice(1)]).permute([0, 2, 1, 3, 4])
  }
}

const triple = (x: number | Triple): Triple => (typeof x === 'number' ? [x, x, x] : x)

function sides(padding: NonNullable<Conv3dOptions['padding']>): readonly [number, number, number, number, number, number] {
  if (typeof padding !== 'number' && padding.length === 6) return padding
  const [f, h, w] = triple(padding)
  return [f, h, w, f, h, w]
}
