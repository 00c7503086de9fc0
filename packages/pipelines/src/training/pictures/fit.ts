import type { Picture } from './decode-picture.ts'
import { resize, type Size } from './resize.ts'

/** A picture as a model learns from it. */
export interface FittedPicture {
  /** `[3, height, width]` in [−1, 1]. */
  readonly pixels: Float32Array
  /** Size of the picture as it was, `[height, width]`. */
  readonly original: readonly [number, number]
  /** What was cut off at the top and at the left of the resized picture, in pixels. */
  readonly crop: readonly [number, number]
}

/** The middle of a picture that is resized so far that it just covers a size. */
export function fit(picture: Picture, size: Size): FittedPicture {
  const scale = Math.max(size.height / picture.height, size.width / picture.width)
  const covering = {
    height: Math.max(size.height, Math.round(picture.height * scale)), width: Math.max(size.width, Math.round(picture.width * scale)),
  }
  const whole = resize(picture, covering)
  const top = Math.floor((covering.height - size.height) / 2)
  const left = Math.floor((covering.width - size.width) / 2)
  const area = size.height * size.width
  const pixels = new Float32Array(3 * area)
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      for (let c = 0; c < 3; c++) {
        pixels[c * area + y * size.width + x] = whole[3 * ((y + top) * covering.width + x + left) + c]! / 127.5 - 1
      }
    }
  }
  return { pixels, original: [picture.height, picture.width], crop: [top, left] }
}
