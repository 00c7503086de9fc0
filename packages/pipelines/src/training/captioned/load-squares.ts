import { readFile } from 'node:fs/promises'
import { abortSignal, callable, checkOptions, type Range, type Ranges, required, whole } from '@antipode/core/options'
import { DatasetError } from '../pairs/index.ts'
import { readPicture } from '../pictures/index.ts'
import type { SquarePictures } from '../squares/index.ts'
import type { CaptionedPicture } from './captioned-picture.ts'
import { type Rgb, square } from './square.ts'

/** How pictures are brought to one size. */
export interface LoadSquaresOptions {
  /** Pixels of a side. */
  readonly side: number
  /** What shows through where a picture is not opaque: red, green and blue in 0 to 255, white by default. */
  readonly background?: readonly [number, number, number]
  readonly signal?: AbortSignal
  /** Called after each picture. */
  readonly onPicture?: (done: number, total: number) => void
}

const byte = whole(0, 255)
const aColour: Range = {
  expected: 'red, green and blue, whole numbers in 0 to 255',
  accepts: (v) => Array.isArray(v) && v.length === 3 && v.every((one) => byte.accepts(one)),
}
const ranges: Ranges<LoadSquaresOptions> = {
  side: required(whole(1)), background: aColour, signal: abortSignal, onPicture: callable,
}

/**
 * Pictures decoded, blended on a background and brought to squares: each covers the square, by Lanczos' filter where it
 * is of another size, and its middle is cut out. One that has the side already is taken byte for byte. No device is needed; in
 * memory all are 3·side² bytes each.
 * @throws {DatasetError} if a picture cannot be read, naming its row @throws {ConfigError} if an option is none
 * @throws the signal's reason when cancelled
 */
export async function loadSquares(
  pictures: readonly CaptionedPicture[], options: LoadSquaresOptions,
): Promise<SquarePictures> {
  checkOptions('loadSquares', options, ranges)
  const { side, background = [255, 255, 255], signal, onPicture } = options
  const size = 3 * side * side
  const all = new Uint8Array(pictures.length * size)
  for (const [i, picture] of pictures.entries()) {
    signal?.throwIfAborted()
    all.set(await squareOf(picture, side, background), i * size)
    onPicture?.(i + 1, pictures.length)
  }
  const groups = pictures.flatMap(({ group }) => group ?? [])
  return {
    pictures: all, side, captions: pictures.map(({ captions }) => captions),
    ...(groups.length > 0 && groups.length === pictures.length ? { groups } : {}),
  }
}

async function squareOf({ file, origin }: CaptionedPicture, side: number, background: Rgb): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new DatasetError(origin, `expected a picture that can be read at ${file}, got none`, { cause })
  })
  return square(await readPicture(origin, new Uint8Array(bytes)), side, background)
}
