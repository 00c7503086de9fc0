import { type Tensor, tensor } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { pictureOrder, type SquarePictures } from '../squares/index.ts'
import type { ClipModels } from './clip-models.ts'

/** Pictures and their captions, row by row. */
export interface ClipBatch {
  /** `[B, 3, side, side]` in [0, 1]. */
  readonly pictures: Tensor
  /** Padded prompts, i32 `[B, N]`. */
  readonly ids: Tensor
}

/** Options of {@link clipBatches}. */
export interface ClipBatchesOptions {
  /** Pictures of a batch. */
  readonly size: number
  /** Of the order, captions and shifts. */
  readonly seed: number
  /** Pixels by which pictures are moved at most, in each direction. */
  readonly shift: number
}

/** What `train` of @antipode/npo takes of a maker of batches. */
export interface ClipBatches {
  readonly batch: (index: number) => ClipBatch
  readonly release: (batch: ClipBatch) => void
}

/**
 * Batches of pictures, each with one of its captions, and moved by some pixels, beyond which is white. A batch depends
 * on its number and the options alone.
 */
export function clipBatches(
  { vision: { device }, tokenizer }: Pick<ClipModels, 'vision' | 'tokenizer'>, data: SquarePictures,
  { size, seed, shift }: ClipBatchesOptions,
): ClipBatches {
  const { side, captions } = data
  const order = pictureOrder(data, size, seed)
  const pixels = 3 * side * side
  return {
    batch(index) {
      // The order is drawn from streams from 2³¹ on.
      const random = rng(seed, { stream: index })
      const numbers = new Float32Array(size * pixels)
      const ids: number[] = []
      for (const [row, place] of order(index).entries()) {
        const own = captions[place]!
        ids.push(...tokenizer.padded(own[random.int(own.length)]!).ids)
        const [down, right] = [random.int(2 * shift + 1) - shift, random.int(2 * shift + 1) - shift]
        const picture = data.pictures.subarray(place * pixels, (place + 1) * pixels)
        moved(picture, side, { down, right }, numbers.subarray(row * pixels, (row + 1) * pixels))
      }
      return {
        // Parts of 255 are finite: looking whether they are would take 50 ms of 70 for 128 pictures of 64 × 64.
        pictures: tensor(device, numbers, [size, 3, side, side], { allowNonFinite: true }),
        ids: tensor(device, ids, [size, tokenizer.maxLength], { dtype: 'i32' }),
      }
    },
    release({ pictures, ids }) {
      pictures.dispose()
      ids.dispose()
    },
  }
}

/** Writes a picture in [0, 1], moved by whole pixels. */
function moved(
  picture: Uint8Array, side: number, { down, right }: { readonly down: number; readonly right: number },
  into: Float32Array,
): void {
  into.fill(1)
  const [first, last] = [Math.max(0, right), Math.min(side, side + right)]
  for (let line = 0; line < 3 * side; line++) {
    const y = line % side
    const from = y - down
    if (from < 0 || from >= side) continue
    const start = (line - down) * side - right
    for (let x = first; x < last; x++) into[line * side + x] = picture[start + x]! / 255
  }
}
