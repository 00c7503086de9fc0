import { ShapeError } from '@antipode/core'
import { encode } from 'fast-png'

/** Pixels of nothing between two images of a grid. */
const GAP = 1

/**
 * One PNG of `rows` × `columns` grey images, ink dark on white paper, with transparent gaps of a pixel; as a data URI.
 *
 * @param images [rows, columns, 1, size, size] in [−1, 1], ink = +1; values outside are clamped
 * @throws {ShapeError} if the number of pixels does not fit.
 */
export function imageGrid(
  images: Float32Array,
  { rows, columns, size }: { readonly rows: number; readonly columns: number; readonly size: number },
): string {
  if (images.length !== rows * columns * size * size || images.length === 0) {
    throw new ShapeError(
      `imageGrid: expected [${rows}, ${columns}, 1, ${size}, ${size}], got ${images.length} values; pass a whole grid`,
    )
  }
  const width = columns * (size + GAP) - GAP
  const height = rows * (size + GAP) - GAP
  const data = new Uint8Array(width * height * 2) // grey and alpha; zero is a transparent gap
  for (let i = 0; i < images.length; i++) {
    const [x, y, cell] = [i % size, Math.floor(i / size) % size, Math.floor(i / (size * size))]
    const [column, row] = [cell % columns, Math.floor(cell / columns)]
    const at = ((row * (size + GAP) + y) * width + column * (size + GAP) + x) * 2
    const ink = (Math.min(1, Math.max(-1, images[i]!)) + 1) / 2
    data[at] = Math.round(255 * (1 - ink))
    data[at + 1] = 255
  }
  const png = encode({ width, height, data, channels: 2, depth: 8 })
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`
}
