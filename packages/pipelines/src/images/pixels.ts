import { ShapeError } from '@antipode/core'

/** An image of eight bits a channel, rows from the top: RGBA, as `ImageData` has it. Alpha is not premultiplied. */
export interface Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>
  readonly width: number
  readonly height: number
}

/** What is taken as an image: RGBA, RGB or grey, told by how many numbers a pixel has. */
export interface PixelSource {
  readonly data: Uint8ClampedArray | Uint8Array
  readonly width: number
  readonly height: number
}

/** Channels of an image: 1, 3 or 4. @throws {ShapeError} if it has others, or sides that are not whole and 1 or more */
export function channelsOf(where: string, { data, width, height }: PixelSource): 1 | 3 | 4 {
  const channels = data.length / (width * height)
  const sized = [width, height].every((side) => Number.isSafeInteger(side) && side > 0)
  if (sized && (channels === 1 || channels === 3 || channels === 4)) return channels
  throw new ShapeError(
    `${where}: expected pixels of 1, 3 or 4 numbers each, got ${data.length} for an image of ${width}×${height}`,
  )
}

/** The red, green and blue of an image, `[height, width, 3]`; alpha is left out, as Pillow's `convert('RGB')` does. */
export function rgbOf(where: string, image: PixelSource): Uint8Array<ArrayBuffer> {
  const channels = channelsOf(where, image)
  const count = image.width * image.height
  const rgb = new Uint8Array(3 * count)
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = image.data[channels * i + (channels === 1 ? 0 : c)] ?? 0
  }
  return rgb
}

/** An image as RGBA, opaque where it has no alpha. @throws {ShapeError} unless it has 1, 3 or 4 numbers a pixel */
export function rgba(image: PixelSource): Pixels {
  const channels = channelsOf('rgba', image)
  const { width, height, data } = image
  const out = new Uint8ClampedArray(4 * width * height)
  if (channels === 4) out.set(data)
  else {
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) out[4 * i + c] = data[channels * i + (channels === 1 ? 0 : c)] ?? 0
      out[4 * i + 3] = 255
    }
  }
  return { data: out, width, height }
}

/** How light an image is, one number a pixel, as Pillow's `convert('L')` weighs colours. Source: ITU-R 601-2. */
export function luma(where: string, image: PixelSource): Uint8Array<ArrayBuffer> {
  const channels = channelsOf(where, image)
  const { data, width, height } = image
  const grey = new Uint8Array(width * height)
  for (let i = 0; i < grey.length; i++) {
    const [r = 0, g = 0, b = 0] = data.subarray(channels * i, channels * i + 3)
    grey[i] = channels === 1 ? r : (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16
  }
  return grey
}
