import type { DType } from '../op.ts'

/** Packs numbers as a storage buffer holds them, padded to whole words. */
export function encode(data: ArrayLike<number>, dtype: DType): Uint8Array<ArrayBuffer> {
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

// Round to nearest, ties to even, by adding a power of two so large that only the digits of a half are left of the sum.
function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const a = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (a >= 65520) return sign | 0x7c00
  if (a < 2 ** -14) return sign | (a + 2 ** 28 - 2 ** 28) * 2 ** 24
  float[0] = a
  word[0] = (((word[0] ?? 0) >>> 23) - 10) << 23
  const large = (float[0] ?? 0) * 2 ** 52
  float[0] = a + large - large
  return sign | ((word[0] ?? 0) >>> 13) - (112 << 10)
}

function fromHalf(h: number): number {
  const exponent = (h >> 10) & 31
  const fraction = h & 1023
  const sign = h & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
}

function toBrain(x: number): number {
  float[0] = x
  const b = word[0] ?? 0
  return Number.isNaN(x) ? (b >>> 16) | 0x40 : ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff
}

function fromBrain(h: number): number {
  word[0] = h << 16
  return float[0] ?? 0
}
