import type { Backend, Tensor } from '@antipode/core'
import { type Pixels, preprocessImages } from '../../images/index.ts'

/** Height and width in pixels. */
export interface Size {
  readonly height: number
  readonly width: number
}

/** A picture as a model learns from it. Dispose of it. */
export interface FittedPicture extends Disposable {
  /** `[1, 3, height, width]` in [−1, 1]; lazy. */
  readonly pixels: Tensor
  /** Size of the picture as it was, `[height, width]`. */
  readonly original: readonly [number, number]
  /** What was cut off at the top and at the left of the resized picture, in pixels. */
  readonly crop: readonly [number, number]
}

/** The middle of a picture that is resized, as `preprocessImages` does it, so far that it just covers a size. */
export async function fit(device: Backend, picture: Pixels, { height, width }: Size): Promise<FittedPicture> {
  const scale = Math.max(height / picture.height, width / picture.width)
  const covering = {
    height: Math.max(height, Math.round(picture.height * scale)),
    width: Math.max(width, Math.round(picture.width * scale)),
  }
  const whole = await preprocessImages(device, picture, { ...covering, multiple: 1 })
  const top = Math.floor((covering.height - height) / 2)
  const left = Math.floor((covering.width - width) / 2)
  return {
    pixels: whole.slice(2, top, top + height).slice(3, left, left + width),
    original: [picture.height, picture.width],
    crop: [top, left],
    [Symbol.dispose]: () => { whole.dispose() },
  }
}
