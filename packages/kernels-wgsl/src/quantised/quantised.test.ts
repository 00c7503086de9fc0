import { describe, expect, test } from 'vitest'
import { DTypeError, ShapeError } from '../errors.ts'
import { type CaseInput, noise, testOp } from '../testing.ts'
import { dequantise, quantise, quantisedMatmul } from './index.ts'

/** Bytes and scales of a matrix of noise. */
const bytesOf = (rows: number, columns: number, seed: number): [CaseInput, CaseInput] => {
  const { words, scale } = quantise(noise(rows * columns, seed), rows, columns)
  return [{ shape: [rows, columns / 4], dtype: 'u32', values: (i) => words[i]! }, { shape: [rows], dtype: 'f32', values: (i) => scale[i]! }]
}
const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const })
const u32 = (...shape: number[]) => ({ shape, dtype: 'u32' as const })

testOp(dequantise, {
  // One product, rounded once.
  tolerance: { f32: 2 ** -23, f16: 2 ** -10 },
  differentiable: [],
  cases: [
    { inputs: bytesOf(1, 4, 1), attrs: { dtype: 'f32' } },
    { inputs: bytesOf(3, 20, 2), attrs: { dtype: 'f32' } },
    { inputs: bytesOf(3, 20, 2), attrs: { dtype: 'f16' } },
  ],
  errors: [
    { name: 'words in f32', inputs: [f32(2, 3), f32(2)], attrs: { dtype: 'f32' }, error: DTypeError },
    { name: 'scales of another number', inputs: [u32(2, 3), f32(3)], attrs: { dtype: 'f32' }, error: ShapeError },
    { name: 'a result in bf16', inputs: [u32(2, 3), f32(2)], attrs: { dtype: 'bf16' }, error: DTypeError },
  ],
})

testOp(quantisedMatmul, {
  constants: [1, 2],
  specials: {
    exceptions: [{ reason: 'products beyond f32 of either sign meet in another order', when: (value, k) => k === 2 && Math.abs(value) > 1e38 && Number.isFinite(value) }],
  },
  cases: [
    { inputs: [[1, 4], ...bytesOf(1, 4, 1)], attrs: {} },
    { inputs: [[5, 20], ...bytesOf(7, 20, 2)], attrs: {} },
    { name: 'long rows', inputs: [[3, 340], ...bytesOf(33, 340, 3)], attrs: {} },
    { name: 'more items than workgroups on an axis', inputs: [[5, 4], ...bytesOf(33_000, 4, 4)], attrs: {}, gradient: false },
  ],
  errors: [
    { name: 'another length', inputs: [f32(2, 8), u32(3, 1), f32(3)], attrs: {}, error: ShapeError },
    { name: 'x of rank 3', inputs: [f32(1, 2, 4), u32(3, 1), f32(3)], attrs: {}, error: ShapeError },
    { name: 'x of integers', inputs: [u32(2, 4), u32(3, 1), f32(3)], attrs: {}, error: DTypeError },
  ],
})

describe.skipIf(globalThis.kernelTestHost)('quantise', () => {
  test('no value is further off than half the scale of its row, and the largest is exact', () => {
    const values = noise(6 * 12, 5).map((v, i) => (i < 12 ? 0 : v * 10 ** Math.floor(i / 12)))
    const { words, scale } = quantise(values, 6, 12)
    const bytes = new Int8Array(words.buffer)
    values.forEach((v, i) => { expect(Math.abs(bytes[i]! * scale[Math.floor(i / 12)]! - v)).toBeLessThanOrEqual(scale[Math.floor(i / 12)]! * 0.5000001) })
    expect(scale[0]).toBe(0)
    for (let row = 1; row < 6; row++) expect(Math.max(...bytes.subarray(12 * row, 12 * row + 12).map(Math.abs))).toBe(127)
  })

  test('refuses what has no bytes', () => {
    expect(() => quantise([1, 2, 3], 1, 3)).toThrow('quantise: expected [1, 3] values, columns a multiple of 4, got 3')
    expect(() => quantise([1, NaN, 3, 4], 1, 4)).toThrow('got NaN at [0, 1]')
  })
})
