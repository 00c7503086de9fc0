import { expect, test } from 'vitest'
import { DTypeError, ShapeError, UnsupportedError } from '../errors.ts'
import { refCall, testOp } from '../testing.ts'
import { norm, type NormAttrs, normInputGrad, normWeightGrad } from './index.ts'
import { normApply } from './norm-apply.ts'

const both = (groups: number): NormAttrs => ({ groups, eps: 1e-5, rms: false, affine: 'both' })
const silu = (groups: number): NormAttrs => ({ ...both(groups), activation: 'silu' })
const rms: NormAttrs = { groups: 1, eps: 1e-6, rms: true, affine: 'weight' }
const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const })

/** Squares, and sums of two, overflow f32 where float64 goes on, as in torch. */
const exceptions = [{ reason: 'sums and squares of the largest numbers overflow f32', when: (value: number) => Number.isFinite(value) && Math.abs(value) > 1e19 }]

testOp(norm, {
  differentiable: [0],
  specials: {
    exceptions,
    cases: [{ name: 'group norm', inputs: [[2, 6, 3, 5], [6], [6]], attrs: both(3) }, { name: 'RMS norm', inputs: [[4, 33], [33]], attrs: rms }],
  },
  cases: [
    { inputs: [[1, 1], [1], [1]], attrs: both(1) },
    { name: 'group norm', inputs: [[2, 6, 3, 5], [6], [6]], attrs: both(3) },
    { name: 'group norm, four elements a load', inputs: [[2, 8, 4, 8], [8], [8]], attrs: both(2) },
    { name: 'group norm, channels shorter than the lanes are many', inputs: [[3, 8, 2, 2], [8], [8]], attrs: both(4) },
    { name: 'groups of one channel', inputs: [[2, 5, 7], [5], [5]], attrs: both(5) },
    { name: 'no affine part', inputs: [[2, 6, 5, 3]], attrs: { ...both(2), affine: 'none' } },
    { name: 'layer norm', inputs: [[5, 20], [20], [20]], attrs: both(1) },
    { name: 'layer norm of odd size', inputs: [[3, 37], [37], [37]], attrs: both(1) },
    { name: 'long rows', inputs: [[2, 4, 1200], [4], [4]], attrs: both(1), gradient: false },
    { name: 'RMS norm', inputs: [[5, 20], [20]], attrs: rms },
    { name: 'RMS norm of odd size', inputs: [[4, 33], [33]], attrs: rms },
    { name: 'group norm and SiLU', inputs: [[2, 8, 4, 8], [8], [8]], attrs: silu(2) },
    { name: 'group norm and SiLU, without an affine part', inputs: [[2, 6, 5, 3]], attrs: { ...silu(2), affine: 'none' } },
    { name: 'RMS norm and SiLU', inputs: [[4, 33], [33]], attrs: { ...rms, activation: 'silu' } },
    { name: 'more rows than workgroups on an axis', inputs: [[66_000, 2], [2], [2]], attrs: both(1) },
    { name: 'rows with and without what is not finite', inputs: [{ shape: [5, 20], values: (i) => ({ 3: NaN, 25: Infinity, 66: -Infinity })[i] ?? Math.sin(i * i) }, [20], [20]], attrs: both(1), gradient: false },
    { name: 'channels shorter than the lanes are many, with what is not finite', inputs: [{ shape: [3, 8, 2, 2], values: (i) => ({ 3: NaN, 35: Infinity, 66: -Infinity })[i] ?? Math.sin(i * i) }, [8], [8]], attrs: both(4), gradient: false },
    {
      // Mean 1000 and deviation about 1: the sum of squares in f32 would leave one digit of the variance.
      name: 'large offset',
      inputs: [{ shape: [2, 4, 64], values: (i) => 1000 + Math.sin(i * i) * 1.4 }, [4], [4]],
      attrs: both(2),
      gradient: false,
    },
  ],
  errors: [
    { name: 'groups do not divide', inputs: [f32(1, 6, 2), f32(6), f32(6)], attrs: both(4), error: ShapeError },
    { name: 'weight of another size', inputs: [f32(1, 6, 2), f32(5), f32(6)], attrs: both(2), error: ShapeError },
    { name: 'bias missing', inputs: [f32(1, 6, 2), f32(6)], attrs: both(2), error: ShapeError },
    { name: 'no channels', inputs: [f32(6)], attrs: { ...both(1), affine: 'none' }, error: ShapeError },
    { name: 'dtypes', inputs: [f32(1, 6), { shape: [6], dtype: 'f16' }, f32(6)], attrs: both(1), error: DTypeError },
  ],
})

// Means of M = 14,000 deviations: results are off by 2⁻²⁴·M at most, of a largest of 1.7.
testOp(norm, {
  differentiable: [],
  tolerance: { f32: 5e-4 },
  specials: { cases: [] },
  cases: [
    { name: 'numbers of one size far from zero, and rows of one number', inputs: [{ shape: [2, 8, 4, 8], values: (i) => (i < 128 ? 1e4 : 1e4 + Math.sin(i * i)) }, [8], [8]], attrs: both(2) },
  ],
})

testOp(normApply, {
  specials: { exceptions },
  cases: [
    { inputs: [[1, 1], [1], [1], f32(1, 1), f32(1, 1)], attrs: both(1) },
    { inputs: [[2, 6, 3, 5], [6], [6], f32(2, 3), f32(2, 3)], attrs: silu(3) },
    { name: 'four elements a load', inputs: [[2, 8, 4, 8], [8], [8], f32(2, 2), f32(2, 2)], attrs: silu(2) },
    { name: 'no affine part', inputs: [[2, 6, 5, 3], f32(2, 2), f32(2, 2)], attrs: { ...both(2), affine: 'none' } },
    { name: 'RMS norm', inputs: [[5, 33], [33], f32(5, 1), f32(5, 1)], attrs: rms },
    { name: 'more rows than workgroups on an axis', inputs: [[66_000, 2], [2], [2], f32(66_000, 1), f32(66_000, 1)], attrs: both(1) },
  ],
  errors: [
    { name: 'statistics of another shape', inputs: [f32(2, 6), f32(6), f32(6), f32(2, 2), f32(2, 1)], attrs: both(1), error: ShapeError },
    { name: 'dtypes', inputs: [f32(2, 6), { shape: [6], dtype: 'f16' }, f32(6), f32(2, 1), f32(2, 1)], attrs: both(1), error: DTypeError },
  ],
})

testOp(normInputGrad, {
  specials: { exceptions },
  cases: [
    { inputs: [[1, 1], [1, 1], [1], [1], f32(1, 1), f32(1, 1)], attrs: both(1) },
    { inputs: [[2, 6, 3, 5], [2, 6, 3, 5], [6], [6], f32(2, 3), f32(2, 3)], attrs: both(3) },
    { inputs: [[2, 8, 4, 8], [2, 8, 4, 8], [8], [8], f32(2, 2), f32(2, 2)], attrs: both(2) },
    { inputs: [[2, 6, 5, 3], [2, 6, 5, 3], f32(2, 2), f32(2, 2)], attrs: { ...both(2), affine: 'none' } },
    { inputs: [[5, 20], [5, 20], [20], [20], f32(5, 1), f32(5, 1)], attrs: both(1) },
    { name: 'SiLU', inputs: [[2, 8, 4, 8], [2, 8, 4, 8], [8], [8], f32(2, 2), f32(2, 2)], attrs: silu(2) },
    { name: 'SiLU, odd sizes', inputs: [[2, 6, 3, 5], [2, 6, 3, 5], [6], [6], f32(2, 3), f32(2, 3)], attrs: silu(3) },
    { name: 'SiLU without an affine part', inputs: [[2, 6, 5, 3], [2, 6, 5, 3], f32(2, 2), f32(2, 2)], attrs: { ...silu(2), affine: 'none' } },
    { inputs: [[5, 33], [5, 33], [33], f32(5, 1), f32(5, 1)], attrs: rms },
    { name: 'more rows than workgroups on an axis', inputs: [[66_000, 2], [66_000, 2], [2], [2], f32(66_000, 1), f32(66_000, 1)], attrs: both(1) },
    { name: 'long rows', inputs: [[1, 4, 1200], [1, 4, 1200], [4], [4], f32(1, 1), f32(1, 1)], attrs: both(1) },
  ],
  errors: [
    { name: 'dy of another shape', inputs: [f32(2, 5), f32(2, 6), f32(6), f32(6), f32(2, 1), f32(2, 1)], attrs: both(1), error: ShapeError },
    { name: 'statistics of another shape', inputs: [f32(2, 6), f32(2, 6), f32(6), f32(6), f32(2, 2), f32(2, 1)], attrs: both(1), error: ShapeError },
  ],
})

testOp(normWeightGrad, {
  specials: { exceptions },
  cases: [
    { inputs: [[1, 1], [1, 1], f32(1, 1), f32(1, 1)], attrs: both(1) },
    { name: 'planes', inputs: [[3, 6, 3, 5], [3, 6, 3, 5], f32(3, 3), f32(3, 3)], attrs: both(3) },
    { name: 'planes, four elements a load, in parts', inputs: [[40, 4, 4, 8], [40, 4, 4, 8], f32(40, 2), f32(40, 2)], attrs: both(2) },
    { name: 'columns', inputs: [[7, 20], [7, 20], f32(7, 1), f32(7, 1)], attrs: both(1) },
    { name: 'more channels than workgroups on an axis', inputs: [[2, 66_000, 2], [2, 66_000, 2], f32(2, 66_000), f32(2, 66_000)], attrs: both(66_000) },
    { name: 'columns of odd size', inputs: [[70, 9, 2], [70, 9, 2], f32(70, 3), f32(70, 3)], attrs: both(3) },
    { name: 'columns in parts, with a short last part', inputs: [[1030, 12], [1030, 12], f32(1030, 1), f32(1030, 1)], attrs: rms },
  ],
})

test('a gradient of the statistics is refused', () => {
  const x = { shape: [1, 2], dtype: 'f32' as const, data: Float64Array.of(1, 2) }
  const attrs: NormAttrs = { ...both(1), affine: 'none' }
  const outputs = norm.reference([x], attrs)
  expect(() => norm.vjp?.(refCall, { inputs: [x], outputs, grads: [undefined, outputs[1]], attrs, needs: [true] })).toThrow(UnsupportedError)
})
