import { lanczos } from '@antipode/pipelines'
import { mapped, type Picture } from './picture.ts'

/** A place in a picture, in pixels. */
export interface Place {
  readonly left: number
  readonly top: number
}

/** A square window of a picture at the picture's own size. */
export function zoomed(picture: Picture, { left, top }: Place, side: number): Picture {
  const window = windowOf(picture, { left, top }, side)
  return { ...picture, data: lanczos({ data: window, width: side, height: side, channels: 3 }, picture.width, picture.height).data }
}

/** The share of a picture's ink, of what is darker than paper, that a window has; 1 where there is none. */
export function inkShare(picture: Picture, place: Place, side: number): number {
  const inkOf = (data: Uint8Array): number => data.reduce((sum, value) => sum + 255 - value, 0)
  const all = inkOf(picture.data)
  return all === 0 ? 1 : inkOf(windowOf(picture, place, side)) / all
}

/** A picture moved right and down by whole pixels; paper comes in from the other side, and the rest is cut off. */
export function moved(picture: Picture, { left, top }: Place): Picture {
  const { data, width, height } = picture
  return mapped(picture, (i) => {
    const [x, y] = [(Math.floor(i / 3) % width) - left, Math.floor(i / 3 / width) - top]
    return x >= 0 && x < width && y >= 0 && y < height ? data[3 * (y * width + x) + (i % 3)]! : 255
  })
}

function windowOf({ data, width }: Picture, { left, top }: Place, side: number): Uint8Array<ArrayBuffer> {
  const window = new Uint8Array(3 * side * side)
  for (let y = 0; y < side; y++) {
    const from = 3 * ((top + y) * width + left)
    window.set(data.subarray(from, from + 3 * side), 3 * y * side)
  }
  return window
}
