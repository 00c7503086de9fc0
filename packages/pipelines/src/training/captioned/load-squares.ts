import { readFile } from 'node:fs/promises'
import { abortSignal, callable, checkOptions, required, whole } from '@antipode/core/options'
import { lanczos, type Pixels } from '../../images/index.ts'
import { DatasetError } from '../pairs/index.ts'
import { readPicture } from '../pictures/index.ts'
import type { SquarePictures } from '../squares/index.ts'
import type { CaptionedPicture } from './captioned-picture.ts'

/** Options of {@link loadSquares}. */
export interface LoadSquaresOptions {
  /** In pixels, whole, 1 or more. */
  readonly side: number
  /** Called after each picture. */
  readonly onPicture?: () => void
  readonly signal?: AbortSignal
}

/**
 * Reads pictures and brings each to a square: what is transparent shows white, the picture is resized by {@link lanczos}
 * so far that it just covers the square, and the middle is taken. One of that size is taken as it is. In memory all are
 * 3·side² bytes each.
 * @throws {DatasetError} if a picture is damaged, or of another kind @throws {unknown} the signal's reason
 */
export async function loadSquares(
  captioned: readonly CaptionedPicture[], options: LoadSquaresOptions,
): Promise<SquarePictures> {
  checkOptions('loadSquares', options, { side: required(whole(1, 4096)), onPicture: callable, signal: abortSignal })
  const { side, onPicture, signal } = options
  const size = 3 * side * side
  const pictures = new Uint8Array(captioned.length * size)
  for (const [i, { file, origin }] of captioned.entries()) {
    signal?.throwIfAborted()
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw new DatasetError(origin, `expected a picture that can be read at ${file}, got none`, { cause })
    })
    pictures.set(squareOf(await readPicture(origin, new Uint8Array(bytes)), side), i * size)
    onPicture?.()
  }
  return { pictures, side, captions: captioned.map(({ captions }) => captions) }
}

/** `[3, side, side]` */
function squareOf(picture: Pixels, side: number): Uint8Array {
  const { width, height } = picture
  const scale = Math.max(side / width, side / height)
  const covering = [width, height].map((length) => Math.max(side, Math.round(length * scale))) as [number, number]
  const { data } = lanczos({ data: onWhite(picture), width, height, channels: 3 }, ...covering)
  const [left, top] = covering.map((length) => Math.floor((length - side) / 2)) as [number, number]
  const plane = side * side
  const square = new Uint8Array(3 * plane)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 3 * ((y + top) * covering[0] + x + left)
      for (let c = 0; c < 3; c++) square[c * plane + y * side + x] = data[from + c] ?? 0
    }
  }
  return square
}

/** `[height, width, 3]`: colours by their share, and white by the rest, of the numbers as they are stored. */
function onWhite({ data }: Pixels): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(data.length / 4 * 3)
  for (let i = 0; i < data.length / 4; i++) {
    const share = (data[4 * i + 3] ?? 0) / 255
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((data[4 * i + c] ?? 0) * share + 255 * (1 - share))
  }
  return rgb
}
