import { checkOptions, type Range, type Ranges } from '@antipode/core/options'
import { convertIndexedToRgb, decode, type DecodedPng, encode } from 'fast-png'
import { ImageError } from './image-error.ts'
import { channelsOf, type Pixels, type PixelSource } from './pixels.ts'
import { type PngText, pngSignature, textOf, withText } from './png-text.ts'

/** What an image file holds beside its pixels. */
export interface EncodePngOptions {
  /** Texts by keywords, such as those that `settingsText` makes of what an image was drawn by. */
  readonly text?: PngText
}

/** An image as a PNG file had it. */
export interface DecodedImage extends Pixels {
  /** Texts by their keywords; none in files of other kinds. */
  readonly text: PngText
}

const texts: Range = {
  expected: 'texts by keywords',
  accepts: (v) => typeof v === 'object' && v !== null && Object.values(v).every((text) => typeof text === 'string'),
}
const ranges: Ranges<EncodePngOptions> = { text: texts }

/** Pixels that a file may say it has: what 16,384² are. A few bytes can say more than there is memory for. */
const mostPixels = 2 ** 28

/**
 * An image as a PNG file, of as many channels as it has: without losses, and with texts that other programs show.
 * @throws {ShapeError} unless it has 1, 3 or 4 numbers a pixel @throws {ConfigError} if an option or a keyword is none
 */
export function encodePng(image: PixelSource, options: EncodePngOptions = {}): Uint8Array<ArrayBuffer> {
  checkOptions('encodePng', options, ranges)
  const channels = channelsOf('encodePng', image)
  const { data, width, height } = image
  // Alpha that hides nothing is left out.
  const opaque = channels === 4 && data.every((value, i) => i % 4 !== 3 || value === 255)
  const kept = opaque ? data.filter((_, i) => i % 4 !== 3) : data
  return withText(encode({ data: kept, width, height, channels: opaque ? 3 : channels }), options.text ?? {})
}

/**
 * The pixels and texts of a PNG file; sixteen bits a channel become eight. @throws {ImageError} if it is none, or
 * damaged
 */
export function decodePng(bytes: Uint8Array): DecodedImage {
  if (!pngSignature.every((byte, i) => bytes[i] === byte)) {
    throw new ImageError('decodePng: expected a PNG file, got another')
  }
  const png = checked(bytes)
  const text = textOf(bytes)
  const { width, height } = png
  return { data: rgbaOf(png), width, height, text }
}

function checked(bytes: Uint8Array): DecodedPng {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Width and height come first in the first chunk.
  const [width, height] = bytes.length < 24 ? [0, 0] : [view.getUint32(16), view.getUint32(20)]
  if (width === 0 || height === 0 || width * height > mostPixels) {
    throw new ImageError(`decodePng: expected an image of 1 to ${mostPixels} pixels, got one of ${width}×${height}`)
  }
  try {
    return decode(bytes, { checkCrc: true })
  } catch (cause) {
    throw new ImageError(
      `decodePng: expected a PNG file that is whole, got one that is damaged (${String(cause)})`,
      { cause },
    )
  }
}

function rgbaOf(png: DecodedPng): Uint8ClampedArray<ArrayBuffer> {
  const { channels, values } = unpacked(png)
  const clear = png.palette ? undefined : png.transparency
  const hidden = (start: number): boolean =>
    clear !== undefined && Array.from(clear).every((value, c) => value === values.raw[start + c])
  const count = png.width * png.height
  const grey = channels < 3
  const alpha = channels === 2 ? 1 : channels === 4 ? 3 : undefined
  const data = new Uint8ClampedArray(4 * count)
  for (let i = 0; i < count; i++) {
    const start = channels * i
    for (let c = 0; c < 3; c++) data[4 * i + c] = values.byte(start + (grey ? 0 : c))
    data[4 * i + 3] = alpha !== undefined ? values.byte(start + alpha) : hidden(start) ? 0 : 255
  }
  return data
}

interface Unpacked {
  readonly channels: number
  readonly values: {
    /** Numbers as the file has them, of `depth` bits. */
    readonly raw: ArrayLike<number>
    /** One of them in eight bits. */
    readonly byte: (i: number) => number
  }
}

/** One number after the other, where files put several into a byte or look them up in a palette. */
function unpacked(png: DecodedPng): Unpacked {
  const { channels, data, depth, palette, width, height } = png
  if (palette) {
    const raw = convertIndexedToRgb(png)
    return { channels: raw.length / (width * height), values: { raw, byte: (i) => raw[i] ?? 0 } }
  }
  if (depth === 16) return { channels, values: { raw: data, byte: (i) => (data[i] ?? 0) >> 8 } }
  if (depth === 8) return { channels, values: { raw: data, byte: (i) => data[i] ?? 0 } }
  const most = 2 ** depth - 1
  const row = Math.ceil(width * depth / 8)
  const raw = Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth
    return ((data[Math.floor(i / width) * row + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & most
  })
  return { channels, values: { raw, byte: (i) => (raw[i] ?? 0) * 255 / most } }
}
