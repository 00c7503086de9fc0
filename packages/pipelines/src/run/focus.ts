import { ConfigError, ShapeError, Tensor } from '@antipode/core'
import { cropRegion, croppedTo, type ImageInput, overlaid, type Pixels, type PixelSource } from '../images/index.ts'
import type { GenerateOptions } from '../request/index.ts'

/** A run on a part of an image. */
export interface Focused<O> {
  /** Options whose image and mask are that part, in the size that is drawn. */
  readonly options: O
  /** Puts what was drawn back into the image. */
  readonly back: (painted: Pixels) => Pixels
}

/**
 * What a run with `maskPadding` is of: the part of the image around its mask. Undefined without.
 * @param side height and width that are drawn by default
 * @throws {ConfigError | ShapeError} unless image and mask are pixels of one picture
 */
export function focusOf<O extends GenerateOptions>(
  where: string,
  options: O,
  [tall = 512, wide = 512]: readonly number[],
): Focused<O> | undefined {
  const { maskPadding, height = tall, width = wide, ...rest } = options
  if (maskPadding === undefined) return undefined
  const [image, mask] = [pictureOf(where, 'image', rest.image), pictureOf(where, 'mask', rest.mask)]
  if (image.width !== mask.width || image.height !== mask.height) {
    throw new ShapeError(
      `${where}: expected a mask of the image's size beside maskPadding, got ${mask.width}×${mask.height} for ` +
        `${image.width}×${image.height}`,
    )
  }
  const size = { width, height }
  const region = cropRegion(mask, size, maskPadding)
  const part = { image: croppedTo(image, region, size), mask: croppedTo(mask, region, size) }
  return {
    options: { ...rest, height, width, ...part } as unknown as O, // those that were given, but for the padding
    back: (painted) => overlaid(image, mask, painted, region),
  }
}

function pictureOf(where: string, name: string, input: ImageInput | undefined): PixelSource {
  if (input && !(input instanceof Tensor) && 'data' in input) return input
  const got = input === undefined ? 'none' : input instanceof Tensor ? 'a Tensor' : 'a list'
  throw new ConfigError(`${where}: expected ${name} to be pixels of one picture beside maskPadding, got ${got}`)
}
