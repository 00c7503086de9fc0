import { ShapeError } from '../errors.ts'
import { arange, type Tensor } from '../graph/index.ts'
import { checkOptions, type Range, positive, required } from '../options/index.ts'
import { where } from './shape.ts'

/** Options of {@link gaussianBlur}. */
export interface GaussianBlurOptions {
  /** Standard deviation in pixels, above 0, finite. */
  readonly sigma: number
  /** Pixels that the kernel spans along each axis, odd and 1 or more; of n pixels it sees 2n − 1 with their mirror images. */
  readonly size: number
  /** The axes to blur along; the last two by default. */
  readonly axes?: readonly number[]
}

const odd: Range = {
  expected: 'an odd whole number of 1 or more', accepts: (v) => Number.isInteger(v) && (v as number) > 0 && (v as number) % 2 === 1,
}
const axesRange: Range = { expected: 'a list of axes', accepts: (v) => Array.isArray(v) && v.every(Number.isInteger) }
const ranges = { sigma: required(positive), size: required(odd), axes: axesRange }

/**
 * Blur by a Gaussian kernel that is cut off and adds up to 1; beyond its ends an axis goes on as in a mirror, which does
 * not repeat the last pixel. A product with a small matrix along each axis; the shape stays.
 * @throws {ShapeError} if x lacks an axis @throws {ConfigError} if an option is unknown or outside its range
 */
export function gaussianBlur(x: Tensor, options: GaussianBlurOptions): Tensor {
  checkOptions('gaussianBlur', options, ranges)
  const { sigma, size, axes = [-2, -1] } = options
  return axes.reduce((image, given) => {
    const axis = given < 0 ? given + x.rank : given
    const length = x.shape[axis]
    if (length === undefined) throw new ShapeError(`gaussianBlur: expected axes of x [${x.shape.join()}], got ${given}`)
    const weights = blurMatrix(image, length, Math.min(size, 2 * length - 1), sigma)
    const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1)
    const blurred = inner === 1
      ? image.reshape([-1, length]).matmul(weights, { transposeB: true })
      : weights.matmul(image.reshape([-1, length, inner]))
    return blurred.reshape(x.shape)
  }, x)
}

/** What each pixel of an axis takes of each, `[length, length]`. */
function blurMatrix({ device, dtype }: Tensor, length: number, size: number, sigma: number): Tensor {
  const half = (size - 1) / 2
  const kernel = Array.from({ length: size }, (_, k) => Math.exp(-0.5 * ((k - half) / sigma) ** 2))
  const total = kernel.reduce((a, b) => a + b)
  const pixels = arange(device, length)
  const [to, from] = [pixels.unsqueeze(1), pixels]
  const weight = (distance: Tensor): Tensor =>
    where(distance.abs().le(half), distance.square().mul(-0.5 / sigma ** 2).exp().mul(1 / total), 0)
  // The pixel itself, and what the mirrors at both ends show of it: the last ones they do not repeat.
  const mirrored = weight(to.add(from)).mul(from.gt(0)).add(
    weight(to.add(from).sub(2 * (length - 1))).mul(from.lt(length - 1)),
  )
  return weight(to.sub(from)).add(mirrored).to(dtype)
}
