import { lanczos } from '@antipode/pipelines'
import type { Picture } from './picture.ts'

/** A part of a picture, which may reach beyond its border. */
export interface Part {
  /** Pixels of its side, a whole number. */
  readonly side: number
  readonly left: number
  readonly top: number
}

/** A part of a picture at the size of the whole. Beyond the border lies white. */
export function crop({ data, side }: Picture, part: Part): Picture {
  const inner = new Uint8Array(3 * part.side ** 2).fill(255)
  for (let y = 0; y < part.side; y++) {
    for (let x = 0; x < part.side; x++) {
      const [row, column] = [y + part.top, x + part.left]
      if (row < 0 || row >= side || column < 0 || column >= side) continue
      const from = 3 * (row * side + column)
      inner.set(data.subarray(from, from + 3), 3 * (y * part.side + x))
    }
  }
  return { data: lanczos({ data: inner, width: part.side, height: part.side, channels: 3 }, side, side).data, side }
}
