import { describe, expect, test } from 'vitest'
import { DTypeError, ShapeError } from '../errors.ts'
import { type CaseInput, testOp } from '../testing.ts'
import { topK } from './top-k.ts'

const of = (...values: number[]): CaseInput => ({ shape: [values.length], values: (i) => values[i] ?? 0 })
const ties = (shape: number[]): CaseInput => ({ shape, values: (i) => (i * 7) % 5 })
const largest = (k: number): { k: number; largest: boolean } => ({ k, largest: true })
const smallest = (k: number): { k: number; largest: boolean } => ({ k, largest: false })

testOp(topK, {
  exact: true,
  cases: [
    { inputs: [[1]], attrs: largest(1) },
    { inputs: [[3, 7]], attrs: largest(7) },
    { inputs: [[3, 7]], attrs: smallest(2) },
    { inputs: [[2, 3, 130]], attrs: largest(5) },
    { inputs: [[2, 3, 130]], attrs: smallest(1) },
    { name: 'equal elements', inputs: [ties([3, 70])], attrs: largest(70), gradient: false },
    { name: 'equal elements', inputs: [ties([3, 70])], attrs: smallest(33), gradient: false },
    { name: 'zeros of both signs and infinities', inputs: [of(0, -0, 1, -Infinity, 0, Infinity, -1)], attrs: largest(7), gradient: false },
    { name: 'NaN counts as largest', inputs: [of(1, NaN, Infinity, NaN, -1)], attrs: largest(4), gradient: false },
    { name: 'NaN counts as largest', inputs: [of(1, NaN, Infinity, NaN, -1)], attrs: smallest(4), gradient: false },
    { name: 'signed integers', inputs: [{ shape: [2, 40], dtype: 'i32', values: (i) => (i * 7919) % 101 * 2e7 - 1e9 }], attrs: largest(9) },
    { name: 'the ends of signed integers', inputs: [{ shape: [4], dtype: 'i32', values: (i) => [0, -(2 ** 31), 2 ** 31 - 1, -1][i] ?? 0 }], attrs: smallest(4) },
    { name: 'unsigned integers', inputs: [{ shape: [2, 40], dtype: 'u32', values: (i) => (i * 7919) % 101 * 4e7 }], attrs: smallest(9) },
    { name: 'the ends of unsigned integers', inputs: [{ shape: [4], dtype: 'u32', values: (i) => [0, 2 ** 32 - 1, 0, 2 ** 32 - 1][i] ?? 0 }], attrs: largest(4) },
    { name: 'nothing', inputs: [[3, 4]], attrs: largest(0) },
    { name: 'more rows than 65,535 workgroups', inputs: [[66_001, 3]], attrs: largest(2) },
  ],
  errors: [
    { name: 'more than there are', inputs: [{ shape: [2, 3], dtype: 'f32' }], attrs: largest(4), error: ShapeError },
    { name: 'a fraction of an element', inputs: [{ shape: [2, 3], dtype: 'f32' }], attrs: largest(0.5), error: ShapeError },
    { name: 'rank 0', inputs: [{ shape: [], dtype: 'f32' }], attrs: largest(1), error: ShapeError },
    { name: 'bf16', inputs: [{ shape: [3], dtype: 'bf16' }], attrs: largest(1), error: DTypeError },
  ],
})

describe.skipIf(globalThis.kernelTestHost)('topK', () => {
  test('with k = 1 is argmax and argmin, the first one where several are equal', () => {
    const x = { shape: [2, 4], dtype: 'f32' as const, data: Float64Array.of(1, 3, 3, 1, -5, -9, -5, -9) }
    expect([...topK.reference([x], largest(1))[1]?.data ?? []]).toEqual([1, 0])
    expect([...topK.reference([x], smallest(1))[1]?.data ?? []]).toEqual([0, 1])
  })

  test('with k = n sorts each row', () => {
    const x = { shape: [5], dtype: 'f32' as const, data: Float64Array.of(2, -1, 7, 0, 2) }
    expect([...topK.reference([x], largest(5))[0]?.data ?? []]).toEqual([7, 2, 2, 0, -1])
    expect([...topK.reference([x], largest(5))[1]?.data ?? []]).toEqual([2, 0, 4, 3, 1])
  })
})
