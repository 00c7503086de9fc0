import { ShapeError, UnsupportedError } from '../errors.ts'
import { bytesPerElement, type SafetensorsDType } from './dtype.ts'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.ts'

/** The bytes in a buffer of their own when they do not start at a multiple of the element size. */
function aligned(bytes: Uint8Array, elementSize: number): { buffer: ArrayBufferLike; offset: number; length: number } {
  const view = bytes.byteOffset % elementSize === 0 ? bytes : bytes.slice()
  return { buffer: view.buffer, offset: view.byteOffset, length: view.byteLength / elementSize }
}

/**
 * The values of little-endian `bytes` as f32. f16 and bf16 widen exactly; f64 and integers round to nearest; BOOL
 * gives 0 or 1. The result never shares memory with `bytes`.
 *
 * @throws {ShapeError} if the bytes are not a whole number of elements.
 * @throws {UnsupportedError} for the F8 types, which have no f32 decoder here.
 */
export function decodeFloat32(bytes: Uint8Array, dtype: SafetensorsDType): Float32Array<ArrayBuffer> {
  const size = bytesPerElement[dtype]
  if (bytes.byteLength % size !== 0) {
    throw new ShapeError(
      `decodeFloat32: expected a multiple of ${size} bytes for ${dtype}, got ${bytes.byteLength}; pass a whole tensor`,
    )
  }
  const { buffer, offset, length } = aligned(bytes, size)
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, offset, length).slice()
    case 'F16':
      return float16ToFloat32(new Uint16Array(buffer, offset, length))
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer, offset, length))
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, offset, length))
    case 'I32':
      return Float32Array.from(new Int32Array(buffer, offset, length))
    case 'U32':
      return Float32Array.from(new Uint32Array(buffer, offset, length))
    case 'I16':
      return Float32Array.from(new Int16Array(buffer, offset, length))
    case 'U16':
      return Float32Array.from(new Uint16Array(buffer, offset, length))
    case 'I8':
      return Float32Array.from(new Int8Array(buffer, offset, length))
    case 'U8':
    case 'BOOL':
      return Float32Array.from(bytes)
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer, offset, length), Number)
    case 'U64':
      return Float32Array.from(new BigUint64Array(buffer, offset, length), Number)
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E8M0':
      throw new UnsupportedError(
        `decodeFloat32: expected a dtype with an f32 decoder, got ${dtype}; ` +
          'read the raw bytes, or convert the file to F16',
      )
    default:
      return dtype satisfies never
  }
}

/**
 * f32 values as the little-endian bytes of a float dtype, rounding to nearest even; ready to be written. F32 shares
 * the memory of `values`.
 */
export function encodeFloat32(
  values: Float32Array<ArrayBuffer>,
  dtype: 'F32' | 'F16' | 'BF16',
): Uint8Array<ArrayBuffer> {
  const array = dtype === 'F32' ? values : dtype === 'F16' ? float32ToFloat16(values) : float32ToBfloat16(values)
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
