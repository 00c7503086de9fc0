import { constant, pad, type Tensor } from '@antipode/core'
import { checkOptions, oneOf, required, whole } from '@antipode/core/options'
import { checkPictures, filterRanges, type ResizeFilter, resizePart } from './resize.ts'

/** Options of {@link clipImages}. */
export interface ClipImagesOptions extends ResizeFilter {
  /** Pixels a side, as the tower takes them, whole, 1 or more. */
  readonly side: number
  /**
   * How pictures become square. `crop`: the short side becomes `side`, and the middle is cut out, as CLIP's processor
   * and PickScore do; the default. `pad`: the long side becomes `side`, with black beside, as HPS does. `stretch`: both
   * become `side`, as VADER's rewards have them.
   */
  readonly fit?: 'crop' | 'pad' | 'stretch'
}

/** Mean and deviation of the pictures that CLIP was trained on. */
const mean = [0.48145466, 0.4578275, 0.40821073]
const deviation = [0.26862954, 0.26130258, 0.27577711]

/**
 * Pictures `[B, 3, H, W]` in [0, 1] as CLIP takes them, `[B, 3, side, side]`: resized, made square, and colours
 * normalised. In f32, with gradients; nothing is clamped. Pillow, which the published processors resize bytes by,
 * rounds to bytes after each axis; that is not done here, as it has no gradient.
 * Sources: torchvision's `resize`, `center_crop` and `normalize`; HPSv2's `ResizeMaxSize`; mihirp1998/VADER.
 * @throws {ShapeError} unless there are pictures of three colours
 * @throws {ConfigError} if an option is outside its range
 */
export function clipImages(images: Tensor, options: ClipImagesOptions): Tensor {
  checkOptions('clipImages', options, {
    side: required(whole(1)), fit: oneOf('crop', 'pad', 'stretch'), ...filterRanges,
  })
  checkPictures('clipImages', images, 3)
  const colour = (values: readonly number[]): Tensor => constant(images.device, values, [3, 1, 1])
  return square(images, options).sub(colour(mean)).div(colour(deviation))
}

function square(images: Tensor, { side, fit = 'crop', ...filter }: ClipImagesOptions): Tensor {
  const [, , height = 0, width = 0] = images.shape
  if (fit === 'pad') {
    const long = Math.max(height, width)
    const to = (size: number): number => Math.max(1, halfToEven(size * (side / long)))
    const [rows, columns] = [to(height), to(width)]
    const resized = resizePart(images, { ...filter, to: [rows, columns], rows: [0, rows], columns: [0, columns] })
    const beside = (x: Tensor, axis: number, lacking: number): Tensor => {
      return pad(x, axis, Math.floor(lacking / 2), Math.ceil(lacking / 2))
    }
    return beside(beside(resized, 2, side - rows), 3, side - columns)
  }
  const short = Math.min(height, width)
  const to = (size: number): number => (fit === 'stretch' ? side : Math.floor(size * side / short))
  const middle = (size: number): readonly [number, number] => [halfToEven((to(size) - side) / 2), side]
  return resizePart(images, {
    ...filter, to: [to(height), to(width)], rows: middle(height), columns: middle(width),
  })
}

/** Rounded as Python does. */
export function halfToEven(x: number): number {
  const floor = Math.floor(x)
  return x - floor === 0.5 ? floor + floor % 2 : Math.round(x)
}
