import { inBlocks } from '../block-types.ts'
import { fromHalf, toHalf } from '../half.ts'
import type { DType } from '../op.ts'
import { decodeBlocks, encodeBlocks } from '../quantised/index.ts'

/** Packs numbers as a storage buffer holds them, padded to whole words. */
export function encode(data: ArrayLike<number>, dtype: DType): Uint8Array<ArrayBuffer> {
  if (inBlocks(dtype)) return encodeBlocks(data, dtype)
  const words = new ArrayBuffer(Math.max(4, Math.ceil(data.length * (dtype === 'f16' || dtype === 'bf16' ? 2 : 4) / 4) * 4))
  if (dtype === 'f32') new Float32Array(words).set(data)
  else if (dtype === 'i32') new Int32Array(words).set(data)
  else if (dtype === 'u32') new Uint32Array(words).set(data)
  else {
    const to = dtype === 'f16' ? toHalf : toBrain
    const halves = new Uint16Array(words)
    for (let i = 0; i < data.length; i++) halves[i] = to(data[i] ?? 0)
  }
  return new Uint8Array(words)
}

/** Reads `count` elements back. */
export function decode(words: ArrayBuffer, dtype: DType, count: number): Float64Array {
  if (inBlocks(dtype)) return Float64Array.from(decodeBlocks(new Uint8Array(words), dtype, count))
  if (dtype === 'f32') return new Float64Array(new Float32Array(words, 0, count))
  if (dtype === 'i32') return new Float64Array(new Int32Array(words, 0, count))
  if (dtype === 'u32') return new Float64Array(new Uint32Array(words, 0, count))
  const from = dtype === 'f16' ? fromHalf : fromBrain
  const halves = new Uint16Array(words, 0, count)
  const out = new Float64Array(count)
  for (let i = 0; i < count; i++) out[i] = from(halves[i] ?? 0)
  return out
}

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

function toBrain(x: number): number {
  float[0] = x
  const b = word[0] ?? 0
  return Number.isNaN(x) ? (b >>> 16) | 0x40 : ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff
}

function fromBrain(h: number): number {
  word[0] = h << 16
  return float[0] ?? 0
}
