import { UnsupportedError } from '@antipode/core'
import { type Pixels, type PixelSource, rgba } from './pixels.ts'

/**
 * The type of an object of browsers as the user's project knows it, or none where it does not, so that a project without
 * the types of browsers compiles.
 */
type Dom<Name extends string> =
  typeof globalThis extends Readonly<Record<Name, { readonly prototype: infer Instance }>> ? Instance : never

/** What a page has images in. */
export type CanvasImage =
  | Dom<'HTMLImageElement'>
  | Dom<'HTMLCanvasElement'>
  | Dom<'HTMLVideoElement'>
  | Dom<'OffscreenCanvas'>
  | Dom<'ImageBitmap'>
  | Blob

/** The same pixels as `ImageData`, which shares their memory. @throws {UnsupportedError} outside browsers */
export function toImageData({ data, width, height }: Pixels): Dom<'ImageData'> {
  inBrowser('toImageData', 'ImageData')
  return new ImageData(data, width, height)
}

/** An image to draw on a canvas, in this thread or another. @throws {UnsupportedError} outside browsers */
export async function toImageBitmap(image: PixelSource): Promise<Dom<'ImageBitmap'>> {
  inBrowser('toImageBitmap', 'createImageBitmap')
  return await createImageBitmap(toImageData(rgba(image)))
}

/**
 * Pixels of what a page shows, or of a file of any kind that the browser opens, at its own size. Colours are those of
 * the file, without its profile. @throws {UnsupportedError} outside browsers
 */
export async function pixelsOf(source: CanvasImage): Promise<Pixels> {
  inBrowser('pixelsOf', 'OffscreenCanvas')
  const bitmap = await createImageBitmap(source, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' })
  const { width, height } = bitmap
  try {
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
    if (!context) throw new UnsupportedError('pixelsOf: expected a canvas of two dimensions, got none')
    context.drawImage(bitmap, 0, 0)
    const { data } = context.getImageData(0, 0, width, height)
    return { data: new Uint8ClampedArray(data), width, height }
  } finally {
    bitmap.close()
  }
}

function inBrowser(where: string, needed: string): void {
  if (needed in globalThis) return
  throw new UnsupportedError(
    `${where}: expected a browser with ${needed}, got none; in Node, use the pixels as they are`,
  )
}
