import { describe, expect, test } from 'vitest'
import type { BlockType } from '../block-types.ts'
import { DTypeError, UnsupportedError } from '../errors.ts'
import { byteSize, type Spec } from '../op.ts'
import { noise, testOp } from '../testing.ts'
import golden from './blocks.golden.json' with { type: 'json' }
import { decodeBlocks, dequantise, encodeBlocks, madeBlockTypes } from './index.ts'

const inBlocks = (dtype: BlockType, ...shape: number[]): Spec => ({ shape, dtype })

testOp(dequantise, {
  // One product of few digits, rounded once to the type.
  tolerance: { f32: 0, f16: 2 ** -11 },
  differentiable: [],
  cases: madeBlockTypes.flatMap((type) => [
    { name: `one block of ${type}`, inputs: [inBlocks(type, 1, 32)], attrs: { dtype: 'f32' as const } },
    { name: `an odd number of ${type}`, inputs: [inBlocks(type, 5, 96)], attrs: { dtype: 'f32' as const } },
    { name: `a kernel's weights of ${type}`, inputs: [inBlocks(type, 3, 32, 3, 3)], attrs: { dtype: 'f16' as const } },
  ]),
  errors: [
    { name: 'numbers', inputs: [{ shape: [2, 32], dtype: 'f16' }], attrs: { dtype: 'f32' }, error: DTypeError },
    { name: 'a result in bf16', inputs: [inBlocks('q8_0', 2, 32)], attrs: { dtype: 'bf16' }, error: DTypeError },
  ],
})

describe.skipIf(globalThis.kernelTestHost)('blocks', () => {
  const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
  const values = new Float32Array(bytesOf(golden.values).buffer)

  test.each(madeBlockTypes)('numbers are rounded to %s as gguf rounds them, to the bit', (type) => {
    const want = bytesOf(golden[type])
    expect(values.length * byteSize(type)).toBe(want.length)
    expect(encodeBlocks(values, type).subarray(0, want.length)).toEqual(want)
  })

  test.each(madeBlockTypes)('%s is no further off than a step of its block', (type) => {
    const some = noise(640, 3).map((v, i) => v * 10 ** Math.floor(i / 128))
    const back = decodeBlocks(encodeBlocks(some, type), type, 640)
    some.forEach((v, i) => {
      const block = some.subarray(32 * Math.floor(i / 32), 32 * Math.floor(i / 32) + 32)
      const step = Math.max(...block.map(Math.abs)) / (type === 'q8_0' ? 127 : 8)
      // Half a step, but for what f16 makes of the scale, and for the end of q4_0 that has no code.
      expect(Math.abs(v - back[i]!)).toBeLessThanOrEqual(step * (type === 'q8_0' ? 0.57 : 1.01))
    })
  })

  test('types that only files bring are not made', () => {
    expect(() => encodeBlocks(values, 'q6_k')).toThrow(UnsupportedError)
  })
})
