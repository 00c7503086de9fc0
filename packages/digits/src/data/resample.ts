import { ShapeError } from '@antipode/core'

/** Side of the stored images. */
export const STORED_SIDE = 28
/** Side of the small images: 28 padded with paper to 32, then halved. */
export const SMALL_SIDE = 16

const PAD = SMALL_SIDE - STORED_SIDE / 2

/**
 * Area average of 28×28 images to 16×16: two rows and columns of paper (−1) on each side, then the mean of each 2×2
 * block.
 *
 * @param images [N, 1, 28, 28]
 * @returns [N, 1, 16, 16]
 * @throws {ShapeError} if the length is no multiple of 784.
 */
export function areaAverage(images: Float32Array): Float32Array<ArrayBuffer> {
  const stored = STORED_SIDE * STORED_SIDE
  const small = SMALL_SIDE * SMALL_SIDE
  if (images.length % stored !== 0) {
    throw new ShapeError(
      `areaAverage: expected [N, 1, 28, 28], got ${images.length} values; pass whole images of 784 pixels`,
    )
  }
  const count = images.length / stored
  const result = new Float32Array(count * small).fill(-1)
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < STORED_SIDE / 2; y++) {
      for (let x = 0; x < STORED_SIDE / 2; x++) {
        const at = n * stored + 2 * y * STORED_SIDE + 2 * x
        const sum = images[at]! + images[at + 1]! + images[at + STORED_SIDE]! + images[at + STORED_SIDE + 1]!
        result[n * small + (y + PAD / 2) * SMALL_SIDE + x + PAD / 2] = sum / 4
      }
    }
  }
  return result
}
