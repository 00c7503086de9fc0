import { expect, test } from 'vitest'
import { DTypeError, ShapeError } from '../errors.ts'
import { type CaseInput, testOp } from '../testing.ts'
import { softmax } from './index.ts'

const attrs = {}
const lowest = -3.4028234663852886e38

/** Rows that say what softmax makes of values that are not finite, and of masks by the lowest value of either dtype. */
const kinds: readonly ((i: number) => number)[] = [
  () => -Infinity,
  (i) => (i % 3 === 0 ? -Infinity : Math.sin(i)),
  (i) => (i === 4 ? NaN : Math.sin(i)),
  (i) => (i === 5 ? NaN : -Infinity),
  (i) => (i === 4 ? Infinity : Math.sin(i)),
  (i) => (i % 2 ? Infinity : -Infinity),
  () => -1e38,
  () => lowest,
  () => -65504,
  (i) => (i % 2 ? lowest : -Infinity),
  (i) => (i % 2 ? -65504 : -Infinity),
  (i) => (i % 3 === 0 ? -lowest : lowest),
  (i) => (i % 3 === 0 ? lowest : Math.sin(i)),
  (i) => Math.sin(i),
]
const rows = (length: number): CaseInput => ({ shape: [kinds.length, length], values: (i) => kinds[Math.floor(i / length)]?.(i % length) ?? 0 })

testOp(softmax, {
  cases: [
    { inputs: [[1]], attrs },
    { inputs: [[3, 7]], attrs },
    { inputs: [[2, 3, 12]], attrs },
    { inputs: [[2, 130]], attrs },
    { name: 'long rows', inputs: [[2, 4800]], attrs, gradient: false },
    { name: 'large values', inputs: [[4, 9]], attrs, range: [-300, 300], gradient: false },
    { name: 'more rows than workgroups on an axis', inputs: [[66_000, 3]], attrs },
    { name: 'values that are not finite, or as low as can be', inputs: [rows(20)], attrs, gradient: false },
    { name: 'values that are not finite, or as low as can be, one by one', inputs: [rows(7)], attrs, gradient: false },
  ],
  errors: [
    { name: 'rank 0', inputs: [{ shape: [], dtype: 'f32' }], attrs, error: ShapeError },
    { name: 'integers', inputs: [{ shape: [2], dtype: 'i32' }], attrs, error: DTypeError },
  ],
})

test('the reference has NaN where torch has it, halves where two values are as low as can be, and 0 where all are −∞', () => {
  const of = (...row: number[]): number[] => [...softmax.reference([{ shape: [row.length], dtype: 'f32', data: Float64Array.from(row) }], attrs)[0]?.data ?? []]
  expect(of(NaN, 1)).toEqual([NaN, NaN])
  expect(of(Infinity, 0)).toEqual([NaN, NaN])
  expect(of(-1e38, -1e38)).toEqual([0.5, 0.5])
  expect(of(lowest, lowest)).toEqual([0.5, 0.5])
  expect(of(-Infinity, lowest)).toEqual([0, 1])
  expect(of(-Infinity, -Infinity)).toEqual([0, 0])
})
