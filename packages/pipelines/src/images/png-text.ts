import { ConfigError } from '@antipode/core'
import { ImageError } from './image-error.ts'

/** Texts of a PNG file by their keywords. */
export type PngText = Readonly<Record<string, string>>

export const pngSignature: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** Of the last chunk, IEND: its length, kind and checksum. */
const endBytes = 12
/** A keyword of 1 to 79 letters of Latin-1, with no spaces at its ends or two in a row. */
const keyword = /^(?! )(?!.* {2})[\u0020-\u007e\u00a1-\u00ff]{1,79}(?<! )$/

/**
 * A PNG file with texts before its end: as `tEXt` where Latin-1 has all its letters, else as `iTXt`.
 * Source: W3C PNG 3, 11.3.3. @throws {ConfigError} if a keyword is none, or a text has the character 0
 */
export function withText(png: Uint8Array, text: PngText): Uint8Array<ArrayBuffer> {
  const chunks = Object.entries(text).map(([key, value]) => {
    if (!keyword.test(key) || value.includes('\0')) {
      throw new ConfigError(
        'encodePng: expected texts without the character 0 by keywords of 1 to 79 letters of Latin-1, ' +
          `got ${JSON.stringify(key)}`,
      )
    }
    return codes(value).every((code) => code < 256)
      ? chunk('tEXt', [...codes(key), 0, ...codes(value)])
      : chunk('iTXt', [...codes(key), 0, 0, 0, 0, 0, ...new TextEncoder().encode(value)])
  })
  const end = png.length - endBytes
  return joined([png.subarray(0, end), ...chunks, png.subarray(end)])
}

/** The texts of a PNG file; those that are compressed are left out. @throws {ImageError} if it is cut short */
export function textOf(png: Uint8Array): PngText {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  const found: [string, string][] = []
  for (let at = pngSignature.length; at + endBytes <= png.length;) {
    const length = view.getUint32(at)
    const body = png.subarray(at + 8, at + 8 + length)
    if (body.length < length) throw new ImageError('decodePng: expected whole chunks, got a file that is cut short')
    const kind = String.fromCharCode(...png.subarray(at + 4, at + 8))
    const text = kind === 'tEXt' ? plainText(body) : kind === 'iTXt' ? internationalText(body) : undefined
    if (text) found.push(text)
    at += endBytes + length
  }
  return Object.fromEntries(found)
}

function plainText(body: Uint8Array): [string, string] {
  const end = body.indexOf(0)
  return [letters(body.subarray(0, end)), letters(body.subarray(end + 1))]
}

/** Keyword, whether it is compressed and how, language, keyword in it, text; a 0 after each but the last. */
function internationalText(body: Uint8Array): [string, string] | undefined {
  const key = body.indexOf(0)
  if (body[key + 1] !== 0) return undefined
  const language = body.indexOf(0, key + 3)
  const translated = body.indexOf(0, language + 1)
  if (key < 0 || language < 0 || translated < 0) return undefined
  return [letters(body.subarray(0, key)), new TextDecoder().decode(body.subarray(translated + 1))]
}

/** Length, kind, body and checksum. */
function chunk(kind: string, body: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(endBytes + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, body.length)
  bytes.set(codes(kind), 4)
  bytes.set(body, 8)
  view.setUint32(8 + body.length, checksum(bytes.subarray(4, 8 + body.length)))
  return bytes
}

/** CRC-32 of ISO 3309, bit by bit: texts are short. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

function codes(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
}

/** Latin-1, in which a byte is the number of its character. */
function letters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
