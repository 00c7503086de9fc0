import { UnsupportedError } from '@antipode/core'
import { pixelsOf } from './canvas.ts'
import { ImageError } from './image-error.ts'
import type { Pixels } from './pixels.ts'
import { type DecodedImage, decodePng } from './png.ts'
import { pngSignature } from './png-text.ts'

const size = [undefined, undefined, undefined, undefined] as const

/** Kinds of image files by how they begin; undefined stands for any byte. */
const kinds = [
  { name: 'PNG', begins: pngSignature },
  { name: 'JPEG', begins: [0xff, 0xd8, 0xff] },
  { name: 'WebP', begins: [0x52, 0x49, 0x46, 0x46, ...size, 0x57, 0x45, 0x42, 0x50] },
  { name: 'GIF', begins: [0x47, 0x49, 0x46, 0x38] },
  { name: 'BMP', begins: [0x42, 0x4d] },
  { name: 'TIFF', begins: [0x49, 0x49, 0x2a, 0x00] },
  { name: 'TIFF', begins: [0x4d, 0x4d, 0x00, 0x2a] },
  { name: 'AVIF', begins: [...size, 0x66, 0x74, 0x79, 0x70] },
] as const

/**
 * Pixels of an image file: PNG and JPEG everywhere, and in browsers whatever else they open. Of a JPEG file that is
 * turned by its Exif data, Node gives the pixels as they are stored.
 * @throws {ImageError} if it is no image, or a damaged one
 * @throws {UnsupportedError} if files of its kind are not read here; the message says what to do
 */
export async function decodeImage(file: Uint8Array<ArrayBuffer> | Blob): Promise<DecodedImage> {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer())
  const kind = kinds.find(({ begins }) => begins.every((byte, i) => byte === undefined || byte === bytes[i]))?.name
  if (kind === undefined) {
    throw new ImageError('decodeImage: expected an image file, such as PNG or JPEG, got another; is the path right?')
  }
  if (kind === 'PNG') return decodePng(bytes)
  if ('OffscreenCanvas' in globalThis) return { ...await opened(kind, new Blob([bytes])), text: {} }
  // Pages have no need of this decoder.
  if (kind === 'JPEG') return (await import('./jpeg.ts')).decodeJpeg(bytes)
  throw new UnsupportedError(`decodeImage: expected PNG or JPEG, got ${kind}; convert it to PNG`)
}

/** What only a browser opens. */
async function opened(kind: string, file: Blob): Promise<Pixels> {
  try {
    return await pixelsOf(file)
  } catch (cause) {
    throw new ImageError(
      `decodeImage: expected ${kind} that this browser opens, got what it does not; convert it to PNG`,
      { cause },
    )
  }
}
