import { DTypeError, ShapeError } from '../errors.ts'
import type { DType } from '../op.ts'
import { type CaseInput, testOp } from '../testing.ts'
import { putAlong, takeAlong } from './along.ts'
import { gather, scatterAdd } from './gather.ts'

/** Indices in [0, below) that jump about and repeat. */
const jumping = (shape: number[], below: number, dtype: DType = 'i32'): CaseInput =>
  ({ shape, dtype, values: (i) => (i * 7919 + 13) % 10_007 % below })
const listed = (shape: number[], values: number[], dtype: DType = 'i32'): CaseInput => ({ shape, dtype, values: (i) => values[i] ?? 0 })
const integers = (shape: number[], dtype: DType): CaseInput => ({ shape, dtype, values: (i) => i * 17 + 1 })
const f32 = (...shape: number[]): { shape: number[]; dtype: 'f32' } => ({ shape, dtype: 'f32' })
const i32 = (...shape: number[]): { shape: number[]; dtype: 'i32' } => ({ shape, dtype: 'i32' })

testOp(gather, {
  exact: true,
  cases: [
    { inputs: [[1], listed([1], [0])], attrs: {} },
    { inputs: [[5, 3], jumping([7], 5, 'u32')], attrs: {} },
    { name: 'rows of vectors', inputs: [[9, 2, 4], jumping([5], 9)], attrs: {} },
    { name: 'indices of rank 2', inputs: [[9, 6], jumping([2, 5], 9)], attrs: {} },
    { name: 'indices of rank 0', inputs: [[9, 6], listed([], [8])], attrs: {} },
    { name: 'a table of integers', inputs: [integers([4, 3], 'i32'), listed([3], [3, -1, 4])], attrs: {} },
    { name: 'a table of unsigned integers', inputs: [integers([4, 4], 'u32'), listed([3], [3, 4, 0], 'u32')], attrs: {} },
    { name: 'indices out of range give NaN', inputs: [[4, 3], listed([4], [4, 1, -1, 2 ** 31 - 1])], attrs: {}, gradient: false },
    { name: 'indices out of range give vectors of NaN', inputs: [[4, 4], listed([3], [-1, 3, 4])], attrs: {}, gradient: false },
    { name: 'more elements than one round of 65,535 workgroups', inputs: [[11, 65], jumping([65_000], 11)], attrs: {} },
  ],
  errors: [
    { name: 'indices that are no integers', inputs: [f32(3), f32(2)], attrs: {}, error: DTypeError },
    { name: 'a table of rank 0', inputs: [f32(), i32(2)], attrs: {}, error: ShapeError },
    { name: 'a table in bf16', inputs: [{ shape: [3], dtype: 'bf16' }, i32(2)], attrs: {}, error: DTypeError },
  ],
})

testOp(scatterAdd, {
  // Sums of up to a hundred f32 values of size 1, relative to the largest sum.
  tolerance: { f32: 1e-6, f16: 2 ** -11 },
  cases: [
    { inputs: [[1], listed([1], [0])], attrs: { rows: 1 } },
    { name: 'one output for many updates', inputs: [[100], jumping([100], 1)], attrs: { rows: 1 } },
    { name: 'fewer outputs than updates', inputs: [[100, 4], jumping([100], 3, 'u32')], attrs: { rows: 3 } },
    { name: 'rows without updates', inputs: [[7, 3], jumping([7], 5, 'u32')], attrs: { rows: 50 } },
    { name: 'rows of vectors, indices of rank 2', inputs: [[2, 33, 8], jumping([2, 33], 9)], attrs: { rows: 9 } },
    { name: 'drops indices out of range', inputs: [[4, 3], listed([4], [4, 1, -1, 1])], attrs: { rows: 4 }, gradient: false },
    { name: 'drops indices out of range, direct', inputs: [[4], listed([4], [2, 1, -1, 1])], attrs: { rows: 2 }, gradient: false },
    { name: 'no updates', inputs: [[0, 3], listed([0], [])], attrs: { rows: 2 } },
    { name: 'more elements than one round of 65,535 workgroups', inputs: [[77, 65], jumping([77], 11)], attrs: { rows: 65_000 } },
  ],
  errors: [
    { name: 'updates that do not begin with the indices’ shape', inputs: [f32(3, 2), i32(2)], attrs: { rows: 4 }, error: ShapeError },
    { name: 'a negative number of rows', inputs: [f32(2, 2), i32(2)], attrs: { rows: -1 }, error: ShapeError },
    { name: 'updates of integers', inputs: [i32(2), i32(2)], attrs: { rows: 4 }, error: DTypeError },
    { name: 'indices that are no integers', inputs: [f32(2), f32(2)], attrs: { rows: 4 }, error: DTypeError },
  ],
})

testOp(takeAlong, {
  exact: true,
  cases: [
    { inputs: [[1], listed([1], [0])], attrs: {} },
    { inputs: [[3, 5], jumping([3, 2], 5)], attrs: {} },
    { name: 'more indices than elements', inputs: [[2, 3, 5], jumping([2, 3, 9], 5, 'u32')], attrs: {} },
    { name: 'integers', inputs: [integers([2, 5], 'i32'), listed([2, 2], [4, 5, -1, 0])], attrs: {} },
    { name: 'indices out of range give NaN', inputs: [[2, 3], listed([2, 2], [2, 3, -1, 0])], attrs: {}, gradient: false },
    { name: 'in several rounds of the loop', inputs: [[4500, 3], jumping([4500, 1], 3)], attrs: {} },
    { name: 'in several rounds of 65,535 workgroups', inputs: [[4_200_001, 1], jumping([4_200_001, 1], 1)], attrs: {}, slow: true },
  ],
  errors: [
    { name: 'other leading axes', inputs: [f32(3, 2), i32(2, 2)], attrs: {}, error: ShapeError },
    { name: 'rank 0', inputs: [f32(), i32()], attrs: {}, error: ShapeError },
    { name: 'indices that are no integers', inputs: [f32(2), f32(2)], attrs: {}, error: DTypeError },
    { name: 'elements in bf16', inputs: [{ shape: [2], dtype: 'bf16' }, i32(2)], attrs: {}, error: DTypeError },
  ],
})

testOp(putAlong, {
  // A half holds a sum of up to nine to 2^-11; f32 sums of nine lose an ulp or two.
  tolerance: { f32: 3e-7, f16: 2 ** -11 },
  cases: [
    { inputs: [[1], listed([1], [0])], attrs: { size: 1 } },
    { inputs: [[3, 2], jumping([3, 2], 5)], attrs: { size: 5 } },
    { name: 'indices that repeat', inputs: [[2, 3, 9], jumping([2, 3, 9], 4, 'u32')], attrs: { size: 5 } },
    { name: 'drops indices out of range', inputs: [[2, 2], listed([2, 2], [2, 3, -1, 0])], attrs: { size: 3 }, gradient: false },
    { name: 'in several rounds of the loop', inputs: [[4500, 1], jumping([4500, 1], 3)], attrs: { size: 3 } },
    { name: 'in several rounds of 65,535 workgroups', inputs: [[4_200_001, 1], jumping([4_200_001, 1], 1)], attrs: { size: 1 }, slow: true },
  ],
  errors: [
    { name: 'other shapes', inputs: [f32(3, 2), i32(3, 3)], attrs: { size: 5 }, error: ShapeError },
    { name: 'rank 0', inputs: [f32(), i32()], attrs: { size: 5 }, error: ShapeError },
    { name: 'a negative size', inputs: [f32(2), i32(2)], attrs: { size: -1 }, error: ShapeError },
    { name: 'integers', inputs: [i32(2), i32(2)], attrs: { size: 5 }, error: DTypeError },
    { name: 'indices that are no integers', inputs: [f32(2), f32(2)], attrs: { size: 4 }, error: DTypeError },
  ],
})
