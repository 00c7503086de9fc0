import { convertIndexedToRgb, decode as decodePng } from 'fast-png'
import { decode as decodeJpeg } from 'jpeg-js'
import { DatasetError } from '../pairs/index.ts'

/** A picture of 8 bits a channel, `[height, width, 3]`. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** JPEG files are refused above so much memory and so many pixels: what a small file may ask for has no bound. */
const jpegLimits = { maxMemoryUsageInMB: 2048, maxResolutionInMP: 200 }

/**
 * A PNG or JPEG file as a picture; what it says of transparency is left out.
 * @param where the row that the file belongs to
 * @throws {DatasetError} if it is damaged, or of another kind
 */
export function decodePicture(where: string, bytes: Uint8Array): Picture {
  const kind = kindOf(bytes)
  try {
    if (kind === 'JPEG') return withoutAlpha(decodeJpeg(bytes, { ...jpegLimits, useTArray: true, formatAsRGBA: true }))
    if (kind === 'PNG') return pictureOfPng(bytes)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatasetError(where, `expected a picture, got a damaged ${kind} file (${reason}); mend or leave out the row`, { cause })
  }
  throw new DatasetError(where, `expected a PNG or JPEG picture, got ${kind}; convert it, or leave out the row`)
}

function kindOf(bytes: Uint8Array): string {
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'JPEG'
  if (text(1, 4) === 'PNG') return 'PNG'
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'WebP'
  return bytes.length === 0 ? 'an empty file' : 'another file'
}

function pictureOfPng(bytes: Uint8Array): Picture {
  const png = decodePng(bytes)
  const { width, height, depth } = png
  const data = png.palette ? convertIndexedToRgb(png) : png.data
  const channels = data.length / (width * height)
  if (depth < 8 && !png.palette) throw new Error(`${depth} bits a channel`)
  return withoutAlpha({ width, height, data: depth === 16 ? Uint8Array.from(data, (v) => v >> 8) : data }, channels)
}

/** Red, green and blue of pixels that have one to four channels. */
function withoutAlpha({ width, height, data }: { readonly width: number; readonly height: number; readonly data: ArrayLike<number> }, channels = 4): Picture {
  const colours = channels < 3 ? 1 : 3
  const out = new Uint8Array(3 * width * height)
  for (let i = 0; i < out.length; i++) {
    const pixel = Math.floor(i / 3)
    out[i] = data[pixel * channels + (colours === 1 ? 0 : i % 3)] ?? 0
  }
  return { width, height, data: out }
}
