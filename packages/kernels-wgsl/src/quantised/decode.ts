import { type BlockType, blockTypes } from '../block-types.ts'
import { fromHalf } from '../half.ts'

/** Writes the numbers of the block that begins at `at` of `data` to `out` from `to` on. */
type Decode = (data: Uint8Array, at: number, out: Float32Array, to: number) => void

let halves: Float32Array | undefined

/** The f16 number at a byte. */
function half(data: Uint8Array, at: number): number {
  halves ??= Float32Array.from({ length: 65_536 }, (_, code) => fromHalf(code))
  return halves[data[at]! | (data[at + 1]! << 8)]!
}

const signed = (byte: number): number => (byte << 24) >> 24

/** Where 32 numbers of a block are, and what they mean. */
interface Nibbles {
  readonly at: number
  /** Where a fifth bit of each is. */
  readonly high?: number
  readonly scale: number
  /** What is taken from a number before it is scaled. */
  readonly zero?: number
  /** What is added to it after that, without a zero. */
  readonly least?: number
}

function nibbles(data: Uint8Array, part: Nibbles, out: Float32Array, to: number): void {
  const { at, high, scale, zero, least = 0 } = part
  for (let i = 0; i < 16; i++) {
    const byte = data[at + i]!
    let [low, up] = [byte & 15, byte >> 4]
    if (high !== undefined) {
      low |= ((data[high + (i >> 3)]! >> (i & 7)) & 1) << 4
      up |= ((data[high + 2 + (i >> 3)]! >> (i & 7)) & 1) << 4
    }
    // Nothing is added to a product of a signed number: −0 would become 0.
    out[to + i] = zero === undefined ? scale * low + least : scale * (low - zero)
    out[to + 16 + i] = zero === undefined ? scale * up + least : scale * (up - zero)
  }
}

interface Bits {
  readonly high?: number
  readonly quants: number
}

/** Scale and least value, of 6 bits each, of one of the eight parts of a block of 256. */
function scaleAndLeast(data: Uint8Array, at: number, part: number): readonly [scale: number, least: number] {
  if (part < 4) return [data[at + part]! & 63, data[at + part + 4]! & 63]
  const both = data[at + part + 4]!
  return [(both & 15) | ((data[at + part - 4]! >> 6) << 4), (both >> 4) | ((data[at + part]! >> 6) << 4)]
}

/**
 * 256 numbers in eight parts with a scale and a least value each: of 4 bits, from `quants` on, or of 5, with the
 * highest from `high` on.
 */
function parts(data: Uint8Array, at: number, bits: Bits, out: Float32Array, to: number): void {
  const { high, quants } = bits
  const [d, least] = [half(data, at), half(data, at + 2)]
  for (let part = 0; part < 8; part++) {
    const [scale, min] = scaleAndLeast(data, at + 4, part)
    for (let i = 0; i < 32; i++) {
      const byte = data[quants + 32 * (part >> 1) + i]!
      let q = part % 2 === 0 ? byte & 15 : byte >> 4
      if (high !== undefined) q |= ((data[high + i]! >> part) & 1) << 4
      out[to + 32 * part + i] = d * scale * q - least * min
    }
  }
}

/** Source: ggml, ggml-quants.c (dequantize_row_…). */
const decoders: Readonly<Record<BlockType, Decode>> = {
  q4_0(data, at, out, to) {
    nibbles(data, { at: at + 2, scale: half(data, at), zero: 8 }, out, to)
  },
  q4_1(data, at, out, to) {
    nibbles(data, { at: at + 4, scale: half(data, at), least: half(data, at + 2) }, out, to)
  },
  q5_0(data, at, out, to) {
    nibbles(data, { at: at + 6, high: at + 2, scale: half(data, at), zero: 16 }, out, to)
  },
  q5_1(data, at, out, to) {
    nibbles(data, { at: at + 8, high: at + 4, scale: half(data, at), least: half(data, at + 2) }, out, to)
  },
  q8_0(data, at, out, to) {
    const d = half(data, at)
    for (let i = 0; i < 32; i++) out[to + i] = d * signed(data[at + 2 + i]!)
  },
  q4_k(data, at, out, to) {
    parts(data, at, { quants: at + 16 }, out, to)
  },
  q5_k(data, at, out, to) {
    parts(data, at, { high: at + 16, quants: at + 48 }, out, to)
  },
  q6_k(data, at, out, to) {
    const d = half(data, at + 208)
    for (let i = 0; i < 256; i++) {
      // Two halves of 128; in each, four rows of 32, whose low bits are the nibbles of two rows of bytes.
      const [side, row, column] = [i >> 7, (i >> 5) & 3, i & 31]
      const low = (data[at + 64 * side + 32 * (row & 1) + column]! >> (row < 2 ? 0 : 4)) & 15
      const high = (data[at + 128 + 32 * side + column]! >> (2 * row)) & 3
      const scale = signed(data[at + 192 + (i >> 4)]!)
      out[to + i] = d * scale * ((low | (high << 4)) - 32)
    }
  },
}

/** The numbers of whole blocks; bytes behind them are left. */
export function decodeBlocks(bytes: Uint8Array, type: BlockType, count: number): Float32Array<ArrayBuffer> {
  const { size, bytes: each } = blockTypes[type]
  const decode = decoders[type]
  const out = new Float32Array(count)
  for (let at = 0, to = 0; to < count; at += each, to += size) decode(bytes, at, out, to)
  return out
}
