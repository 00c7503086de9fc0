import type { DType } from '../op.ts'

/** Packs numbers as a storage buffer holds them, padded to whole words. */
export function encode(data: ArrayLike<number>, dtype: DType): Uint8Array<ArrayBuffer> {
  const words = new ArrayBuffer(Math.max(4, Math.ceil(data.length * (dtype === 'f16' || dtype === 'bf16' ? 2 : 4) / 4) * 4))
  if (dtype === 'f32') new Float32Array(words).set(Array.from(data))
  else if (dtype === 'i32') new Int32Array(words).set(Array.from(data))
  else if (dtype === 'u32') new Uint32Array(words).set(Array.from(data))
  else new Uint16Array(words).set(Array.from(data, dtype === 'f16' ? toHalf : toBrain))
  return new Uint8Array(words)
}

/** Reads `count` elements back. */
export function decode(words: ArrayBuffer, dtype: DType, count: number): number[] {
  if (dtype === 'f32') return Array.from(new Float32Array(words).subarray(0, count))
  if (dtype === 'i32') return Array.from(new Int32Array(words).subarray(0, count))
  if (dtype === 'u32') return Array.from(new Uint32Array(words).subarray(0, count))
  return Array.from(new Uint16Array(words).subarray(0, count), dtype === 'f16' ? fromHalf : fromBrain)
}

const bits = new DataView(new ArrayBuffer(4))

// Round to nearest, ties to even, by dividing by the spacing of halves around x: a power of two, so exact.
function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const a = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (a >= 65520) return sign | 0x7c00
  const exponent = Math.max(-14, a === 0 ? -14 : Math.floor(Math.log2(a)))
  const spacing = 2 ** (exponent - 10)
  const steps = a / spacing
  const even = Math.round(steps) - (steps % 1 === 0.5 && Math.round(steps) % 2 ? 1 : 0)
  return sign | (a < 2 ** -14 ? even : ((exponent + 14) << 10) + even)
}

function fromHalf(h: number): number {
  const exponent = (h >> 10) & 31
  const fraction = h & 1023
  const sign = h & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
}

function toBrain(x: number): number {
  bits.setFloat32(0, x)
  const b = bits.getUint32(0)
  return Number.isNaN(x) ? (b >>> 16) | 0x40 : ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff
}

function fromBrain(h: number): number {
  bits.setUint32(0, h << 16)
  return bits.getFloat32(0)
}
