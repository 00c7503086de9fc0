import { type BlockType, blockTypes } from '../block-types.ts'
import { UnsupportedError } from '../errors.ts'
import { toHalf } from '../half.ts'

/** The types that numbers are brought into here; others come from files. */
export const madeBlockTypes = ['q8_0', 'q4_0'] as const
export type MadeBlockType = (typeof madeBlockTypes)[number]

/** From this size on a number has no scale in f16. */
export function largestInBlocks(type: BlockType): number {
  return 65_520 * (type === 'q8_0' ? 127 : 8)
}

/**
 * Numbers in blocks, rounded as ggml does it, padded with zeros to whole words; they are finite and whole blocks of them.
 * Source: ggml, ggml-quants.c (quantize_row_q8_0_ref, quantize_row_q4_0_ref).
 * @throws {UnsupportedError} of a type that only files bring
 */
export function encodeBlocks(values: ArrayLike<number>, type: BlockType): Uint8Array<ArrayBuffer> {
  if (type !== 'q8_0' && type !== 'q4_0') {
    throw new UnsupportedError(`quantise: expected ${madeBlockTypes.join(' or ')}, got ${type}, which only files bring`)
  }
  const { size, bytes } = blockTypes[type]
  const out = new Uint8Array(Math.ceil(values.length / size * bytes / 4) * 4)
  const encode = type === 'q8_0' ? encodeQ80 : encodeQ40
  for (let from = 0, at = 0; from < values.length; from += size, at += bytes) encode(values, from, out, at)
  return out
}

function writeScale(d: number, out: Uint8Array, at: number): void {
  const code = toHalf(d)
  out[at] = code & 255
  out[at + 1] = code >> 8
}

/** `d = max|x| / 127`, `q = round(x / d)`, halves away from zero. */
function encodeQ80(values: ArrayLike<number>, from: number, out: Uint8Array, at: number): void {
  let largest = 0
  for (let i = from; i < from + 32; i++) {
    const size = Math.abs(values[i]!)
    if (size > largest) largest = size
  }
  const d = Math.fround(largest / 127)
  const inverse = d === 0 ? 0 : Math.fround(1 / d)
  writeScale(d, out, at)
  for (let i = 0; i < 32; i++) {
    const scaled = Math.fround(values[from + i]! * inverse)
    out[at + 2 + i] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(0.5 + scaled)
  }
}

/** `d = x / −8` of the largest x, `q = ⌊x / d + 8.5⌋` and 15 at most; the low halves of 16 bytes first. */
function encodeQ40(values: ArrayLike<number>, from: number, out: Uint8Array, at: number): void {
  let [largest, extreme] = [0, 0]
  for (let i = from; i < from + 32; i++) {
    const value = values[i]!
    if (Math.abs(value) <= largest) continue
    largest = Math.abs(value)
    extreme = value
  }
  const d = Math.fround(extreme / -8)
  const inverse = d === 0 ? 0 : Math.fround(1 / d)
  writeScale(d, out, at)
  const code = (i: number): number => Math.min(15, Math.trunc(values[from + i]! * inverse + 8.5))
  for (let i = 0; i < 16; i++) out[at + 2 + i] = code(i) | (code(16 + i) << 4)
}
