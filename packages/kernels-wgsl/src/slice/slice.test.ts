import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DTypeError, ShapeError } from '../errors.ts'
import type { RefTensor, Spec } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { adjointGap, type CaseInput, noise, testOp } from '../testing.ts'
import { concat, pad, slice } from './slice.ts'

const spec = (shape: number[], dtype: Spec['dtype'] = 'f32'): Spec => ({ shape, dtype })
const integers = (shape: number[], dtype: Spec['dtype']): CaseInput => ({ shape, dtype, values: (i) => i * 3 + 5 })
const signed = (shape: number[]): CaseInput => ({ shape, dtype: 'i32', values: (i) => (i % 2 ? -i : i) * 1e7 })
const bits = (shape: number[]): CaseInput => ({ shape, dtype: 'u32', values: (i) => 0xffffffff - i })
const random = (shape: readonly number[], seed = 1): RefTensor => ({ shape, dtype: 'f32', data: noise(sizeOf(shape), seed) })

testOp(slice, {
  cases: [
    { inputs: [[1]], attrs: { axis: 0, start: 0, end: 1 } },
    { inputs: [[5, 3, 4]], attrs: { axis: 1, start: 1, end: 3 } },
    { inputs: [[5, 3]], attrs: { axis: 1, start: 2, end: 3 } },
    { name: 'nothing', inputs: [[5, 3]], attrs: { axis: 0, start: 2, end: 2 } },
    { name: 'integers', inputs: [integers([3, 4], 'i32')], attrs: { axis: 0, start: 1, end: 3 } },
  ],
  errors: [
    { name: 'an end behind the axis', inputs: [spec([2, 3])], attrs: { axis: 1, start: 0, end: 4 }, error: ShapeError },
    { name: 'an end before the start', inputs: [spec([2, 3])], attrs: { axis: 1, start: 2, end: 1 }, error: ShapeError },
    { name: 'a fraction', inputs: [spec([2, 3])], attrs: { axis: 1, start: 0.5, end: 1 }, error: ShapeError },
    { name: 'no such axis', inputs: [spec([2, 3])], attrs: { axis: 2, start: 0, end: 1 }, error: ShapeError },
    { name: 'an axis counted from the back', inputs: [spec([2, 3])], attrs: { axis: -1, start: 0, end: 0 }, error: ShapeError },
  ],
})

testOp(pad, {
  exact: true,
  cases: [
    { inputs: [[1]], attrs: { axis: 0, before: 0, after: 1 } },
    { inputs: [[3]], attrs: { axis: 0, before: 2, after: 0 } },
    { inputs: [[3, 5]], attrs: { axis: 1, before: 1, after: 2 } },
    { name: 'an axis in the middle', inputs: [[2, 3, 5]], attrs: { axis: 1, before: 2, after: 1 } },
    { name: 'an axis in the middle, by vectors', inputs: [[2, 3, 8]], attrs: { axis: 1, before: 2, after: 1 } },
    { name: 'no padding', inputs: [[2, 3, 5]], attrs: { axis: 1, before: 0, after: 0 } },
    { name: 'around nothing', inputs: [[2, 0, 3]], attrs: { axis: 1, before: 1, after: 1 } },
    { name: 'signed integers', inputs: [signed([3, 3])], attrs: { axis: 0, before: 1, after: 1 } },
    { name: 'unsigned integers by vectors', inputs: [bits([3, 4])], attrs: { axis: 0, before: 1, after: 1 } },
    { name: 'several rounds of the loop', inputs: [[3, 900, 7]], attrs: { axis: 1, before: 3, after: 1 } },
    { name: 'more elements than one round of 65,535 workgroups', inputs: [[1100, 3001]], attrs: { axis: 1, before: 1000, after: 3 } },
  ],
  errors: [
    { name: 'a negative count', inputs: [spec([2, 3])], attrs: { axis: 1, before: -1, after: 0 }, error: ShapeError },
    { name: 'half an element', inputs: [spec([2, 3])], attrs: { axis: 1, before: 0.5, after: 0 }, error: ShapeError },
    { name: 'no such axis', inputs: [spec([2, 3])], attrs: { axis: 2, before: 0, after: 0 }, error: ShapeError },
    { name: 'an axis counted from the back', inputs: [spec([2, 3])], attrs: { axis: -1, before: 1, after: 0 }, error: ShapeError },
    { name: 'bf16', inputs: [spec([2, 3], 'bf16')], attrs: { axis: 1, before: 1, after: 0 }, error: DTypeError },
  ],
})

testOp(concat, {
  exact: true,
  cases: [
    { inputs: [[1], [1]], attrs: { axis: 0 } },
    { name: 'a single tensor', inputs: [[2, 3]], attrs: { axis: 1 } },
    { inputs: [[2, 3], [2, 5]], attrs: { axis: 1 } },
    { inputs: [[2, 3, 5], [2, 1, 5], [2, 4, 5]], attrs: { axis: 1 } },
    { name: 'vectors and elements side by side', inputs: [[3, 8], [3, 2], [3, 4], [3, 2]], attrs: { axis: 1 } },
    { name: 'channels by vectors', inputs: [[2, 3, 4, 4], [2, 2, 4, 4], [2, 1, 4, 4]], attrs: { axis: 1 } },
    { name: 'one of them empty', inputs: [[2, 3], [2, 0], [2, 1]], attrs: { axis: 1 } },
    { name: 'signed integers', inputs: [signed([2, 3]), signed([1, 3])], attrs: { axis: 0 } },
    { name: 'unsigned integers by vectors', inputs: [bits([2, 4]), bits([1, 4])], attrs: { axis: 0 } },
    { name: 'several rounds of the loop', inputs: [[3, 5001], [3, 1]], attrs: { axis: 1 } },
    { name: 'more elements than one round of 65,535 workgroups', inputs: [[1100, 3817], [1100, 1]], attrs: { axis: 1 } },
  ],
  errors: [
    { name: 'another axis that differs', inputs: [spec([2, 3]), spec([3, 3])], attrs: { axis: 1 }, error: ShapeError },
    { name: 'another rank', inputs: [spec([2, 3]), spec([2, 3, 1])], attrs: { axis: 1 }, error: ShapeError },
    { name: 'no such axis', inputs: [spec([2, 3]), spec([2, 3])], attrs: { axis: 2 }, error: ShapeError },
    { name: 'an axis counted from the back', inputs: [spec([2, 3]), spec([2, 3])], attrs: { axis: -1 }, error: ShapeError },
    { name: 'no tensor', inputs: [], attrs: { axis: 0 }, error: ShapeError },
    { name: 'dtypes that differ', inputs: [spec([2, 3]), spec([2, 3], 'f16')], attrs: { axis: 0 }, error: DTypeError },
    { name: 'bf16', inputs: [spec([3], 'bf16'), spec([3], 'bf16')], attrs: { axis: 0 }, error: DTypeError },
  ],
})

/** A shape of rank 1 to 4 and one of its axes. */
const shapeAndAxis = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1) }))

describe.skipIf(globalThis.kernelTestHost)('slice, pad and concat', () => {
  test('slicing what was padded gives the tensor back', () => {
    fc.assert(fc.property(shapeAndAxis, fc.nat(3), fc.nat(3), ({ shape, axis }, before, after) => {
      const x = random(shape)
      const padded = pad.reference([x], { axis, before, after })
      expect(slice.reference(padded, { axis, start: before, end: before + (shape[axis] ?? 0) })[0]).toEqual(x)
    }))
  })

  test('joining the parts of a tensor gives it back', () => {
    fc.assert(fc.property(shapeAndAxis, fc.nat(4), fc.nat(4), ({ shape, axis }, a, b) => {
      const x = random(shape)
      const size = shape[axis] ?? 0
      const cuts = [0, Math.min(a, b, size), Math.min(Math.max(a, b), size), size]
      const parts = [0, 1, 2].map((k) => slice.reference([x], { axis, start: cuts[k] ?? 0, end: cuts[k + 1] ?? 0 })[0] as RefTensor)
      expect(concat.reference(parts, { axis })[0]).toEqual(x)
    }))
  })

  test('have gradients that are their adjoints', () => {
    fc.assert(fc.property(shapeAndAxis, fc.nat(3), fc.nat(3), ({ shape, axis }, a, b) => {
      const x = random(shape)
      const size = shape[axis] ?? 0
      const start = Math.min(a, size)
      const end = Math.min(size, start + b)
      const other = random(shape.map((d, i) => (i === axis ? a + 1 : d)), 2)
      // Sums of at most a thousand products in float64, of which a few may cancel.
      expect(adjointGap(slice, [x], { axis, start, end })).toBeLessThan(1e-9)
      expect(adjointGap(pad, [x], { axis, before: a, after: b })).toBeLessThan(1e-9)
      expect(adjointGap(concat, [x, other, x], { axis })).toBeLessThan(1e-9)
    }))
  })
})
