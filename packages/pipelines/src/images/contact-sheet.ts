import { ShapeError } from '@antipode/core'
import { checkOptions, listOf, type Ranges, whole } from '@antipode/core/options'
import { type Pixels, type PixelSource, rgba } from './pixels.ts'

/** How a {@link contactSheet} is laid out. */
export interface ContactSheetOptions {
  /** Images in a row; by default as many as make the sheet about square. */
  readonly columns?: number
  /** Pixels between images and around them, 8 by default. */
  readonly gap?: number
  /** Red, green and blue between images, each of 0 to 255; white by default. */
  readonly background?: readonly number[]
}

const ranges: Ranges<ContactSheetOptions> = { columns: whole(1), gap: whole(0), background: listOf(whole(0, 255)) }

/**
 * Images side by side, row by row, each in the middle of a cell that the largest fits.
 * @throws {ShapeError} if there are none @throws {ConfigError} if an option is none
 */
export function contactSheet(images: readonly PixelSource[], options: ContactSheetOptions = {}): Pixels {
  checkOptions('contactSheet', options, ranges)
  if (images.length === 0) throw new ShapeError('contactSheet: expected at least one image, got none')
  const { columns: most = Math.ceil(Math.sqrt(images.length)), gap = 8, background = [] } = options
  const [red = 255, green = 255, blue = 255] = background
  const columns = Math.min(most, images.length)
  const rows = Math.ceil(images.length / columns)
  const [cellWidth, cellHeight] = [Math.max(...images.map((i) => i.width)), Math.max(...images.map((i) => i.height))]
  const [width, height] = [gap + columns * (cellWidth + gap), gap + rows * (cellHeight + gap)]
  const sheet: Pixels = { data: new Uint8ClampedArray(4 * width * height), width, height }
  for (let i = 0; i < width * height; i++) sheet.data.set([red, green, blue, 255], 4 * i)
  images.forEach((image, k) => {
    const left = gap + (k % columns) * (cellWidth + gap) + Math.floor((cellWidth - image.width) / 2)
    const top = gap + Math.floor(k / columns) * (cellHeight + gap) + Math.floor((cellHeight - image.height) / 2)
    paste(sheet, rgba(image), left, top)
  })
  return sheet
}

function paste(sheet: Pixels, { data, width, height }: Pixels, left: number, top: number): void {
  for (let y = 0; y < height; y++) {
    sheet.data.set(data.subarray(4 * width * y, 4 * width * (y + 1)), 4 * (sheet.width * (top + y) + left))
  }
}
