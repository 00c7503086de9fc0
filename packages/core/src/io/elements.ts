import { decodeBlocks, type DType, encodeBlocks, inBlocks } from '@antipode/kernels-wgsl'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.ts'

/** Numbers as bytes of a dtype, padded with zeros to whole 32-bit words, as storage buffers want them. */
export function encodeElements(data: ArrayLike<number>, dtype: DType): Uint8Array<ArrayBuffer> {
  if (inBlocks(dtype)) return encodeBlocks(data, dtype)
  if (dtype === 'f16' || dtype === 'bf16') {
    const floats = data instanceof Float32Array ? data : Float32Array.from(data)
    const out = new Uint16Array(Math.ceil(data.length / 2) * 2)
    out.set(dtype === 'f16' ? float32ToFloat16(floats) : float32ToBfloat16(floats))
    return new Uint8Array(out.buffer)
  }
  const words = dtype === 'f32' ? new Float32Array(data.length) : dtype === 'i32' ? new Int32Array(data.length) : new Uint32Array(data.length)
  words.set(data)
  return new Uint8Array(words.buffer)
}

/** The first `count` elements of bytes of a dtype; f16, bf16 and those in blocks widen to f32. */
export function decodeElements(bytes: ArrayBuffer, dtype: DType, count: number): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  if (inBlocks(dtype)) return decodeBlocks(new Uint8Array(bytes), dtype, count)
  if (dtype === 'f16') return float16ToFloat32(new Uint16Array(bytes, 0, count))
  if (dtype === 'bf16') return bfloat16ToFloat32(new Uint16Array(bytes, 0, count))
  return dtype === 'f32' ? new Float32Array(bytes, 0, count) : dtype === 'i32' ? new Int32Array(bytes, 0, count) : new Uint32Array(bytes, 0, count)
}
