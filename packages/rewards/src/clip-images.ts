import { arange, type Backend, constant, linear, ShapeError, type Tensor, where } from '@antipode/core'
import { checkOptions, required, whole } from '@antipode/core/options'

/** Options of {@link clipImages}. */
export interface ClipImagesOptions {
  /** Pixels a side, as the tower takes them, whole, 1 or more. */
  readonly side: number
}

/** Mean and deviation of the pictures that CLIP was trained on. */
const mean = [0.48145466, 0.4578275, 0.40821073]
const deviation = [0.26862954, 0.26130258, 0.27577711]

/**
 * Pictures `[B, 3, H, W]` in [0, 1] as CLIP takes them, `[B, 3, side, side]`: the short side resized to `side` by the
 * bicubic filter with antialiasing, the middle cut out, and colours normalised. In f32, with gradients; nothing is
 * clamped.
 * Sources: torchvision's `resize`, `center_crop` and `normalize`; the filter is Keys 1981, a = −½, as Pillow has it.
 * @throws {ShapeError} unless there are pictures of three colours
 * @throws {ConfigError} if the option is outside its range
 */
export function clipImages(images: Tensor, options: ClipImagesOptions): Tensor {
  checkOptions('clipImages', options, { side: required(whole(1)) })
  const [, colours, height = 0, width = 0] = images.shape
  if (images.rank !== 4 || colours !== 3 || height * width === 0) {
    throw new ShapeError(`clipImages: expected pictures [B, 3, H, W], got [${images.shape.join()}]`)
  }
  const { side } = options
  const short = Math.min(height, width)
  const along = (size: number): Tensor => middle(images.device, size, Math.floor(size * side / short), side)
  // Both axes are sums over pixels: x·Aᵀ, twice.
  const rows = linear(images.to('f32'), along(width)).transpose() // [B, 3, side, H]
  const resized = linear(rows, along(height)).transpose() // [B, 3, side, side]
  const colour = (values: readonly number[]): Tensor => constant(images.device, values, [3, 1, 1])
  return resized.sub(colour(mean)).div(colour(deviation))
}

/** The matrix `[side, from]` of the middle `side` of `to` pixels, resized from `from` ones. */
function middle(device: Backend, from: number, to: number, side: number): Tensor {
  const scale = from / to
  const start = halfToEven((to - side) / 2)
  const centres = arange(device, side).add(start + 0.5).mul(scale).unsqueeze(1) // [side, 1]
  const pixels = arange(device, from).add(0.5) // [from]
  const weights = bicubic(pixels.sub(centres).div(Math.max(1, scale))) // [side, from]
  return weights.div(weights.sum({ axes: 1, keepDims: true }))
}

/** Keys' cubic of two pixels each way, with a = −½. */
function bicubic(x: Tensor): Tensor {
  const t = x.abs()
  const near = t.mul(1.5).sub(2.5).mul(t).mul(t).add(1)
  const far = t.sub(5).mul(t).add(8).mul(t).sub(4).mul(-0.5)
  return where(t.lt(1), near, where(t.lt(2), far, 0))
}

/** Rounded as Python does. */
function halfToEven(x: number): number {
  const floor = Math.floor(x)
  return x - floor === 0.5 ? floor + floor % 2 : Math.round(x)
}
