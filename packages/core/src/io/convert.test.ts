import { describe, expect, test } from 'vitest'
import { ShapeError, UnsupportedError } from '../errors.ts'
import { decodeFloat32, encodeFloat32 } from './convert.ts'
import type { SafetensorsDType } from './dtype.ts'

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer)

const cases: [SafetensorsDType, ArrayBufferView, number[]][] = [
  ['F64', Float64Array.of(0.1, -2), [Math.fround(0.1), -2]],
  ['F32', Float32Array.of(0.1, -2), [Math.fround(0.1), -2]],
  ['F16', Uint16Array.of(0x3c00, 0xc000), [1, -2]],
  ['BF16', Uint16Array.of(0x3f80, 0xc000), [1, -2]],
  ['I64', BigInt64Array.of(-(2n ** 40n), 16777217n), [-(2 ** 40), 16777216]],
  ['U64', BigUint64Array.of(2n ** 63n), [2 ** 63]],
  ['I32', Int32Array.of(-(2 ** 31), 16777217), [-(2 ** 31), 16777216]],
  ['U32', Uint32Array.of(2 ** 31), [2 ** 31]],
  ['I16', Int16Array.of(-32768), [-32768]],
  ['U16', Uint16Array.of(65535), [65535]],
  ['I8', Int8Array.of(-128, 127), [-128, 127]],
  ['U8', Uint8Array.of(0, 255), [0, 255]],
  ['BOOL', Uint8Array.of(1, 0), [1, 0]],
]

describe('decodeFloat32', () => {
  test.each(cases)('%s gives the nearest f32 values, aligned or not', (dtype, array, expected) => {
    const bytes = bytesOf(array)
    expect([...decodeFloat32(bytes, dtype)]).toEqual(expected)
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect([...decodeFloat32(shifted.subarray(1), dtype)]).toEqual(expected)
  })

  test('does not share memory with its input', () => {
    const values = Float32Array.of(1)
    const decoded = decodeFloat32(bytesOf(values), 'F32')
    values[0] = 2
    expect(decoded[0]).toBe(1)
  })

  test.each(['F8_E4M3', 'F8_E5M2', 'F8_E8M0'] as const)('%s is unsupported', (dtype) => {
    expect(() => decodeFloat32(new Uint8Array(2), dtype)).toThrow(UnsupportedError)
  })

  test('part of an element is a ShapeError', () => {
    expect(() => decodeFloat32(new Uint8Array(7), 'F32')).toThrow(ShapeError)
  })
})

test('encodeFloat32 is the inverse of decodeFloat32 on values that the dtype holds', () => {
  const values = Float32Array.of(0, -1.5, 0.25, 240, -Infinity)
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    expect(decodeFloat32(encodeFloat32(values, dtype), dtype)).toEqual(values)
  }
})

test('encodeFloat32 keeps to the part of the buffer that its input views', () => {
  const part = Float32Array.of(1, 2, 3).subarray(1, 2)
  expect(decodeFloat32(encodeFloat32(part, 'F32'), 'F32')).toEqual(Float32Array.of(2))
})
