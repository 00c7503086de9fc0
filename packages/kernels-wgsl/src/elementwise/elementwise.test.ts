import { ShapeError } from '../errors.ts'
import { testOp } from '../testing.ts'
import { cast } from './cast.ts'
import { add, cos, elementwise, sin } from './table.ts'

// Away from the poles and kinks of each function.
const positive = [0.2, 2] as const
const ranges: Record<string, readonly [number, number]> = { div: positive, pow: positive, log: positive, sqrt: positive, rsqrt: positive }

for (const op of Object.values(elementwise)) {
  const arity = op.pointwise?.arity ?? 1
  const range = ranges[op.name] ?? [-2.5, 2.5]
  const shapes = (...list: number[][]): number[][] => list.slice(0, arity)
  testOp(op, {
    tolerance: { f32: 4e-6 },
    cases: [
      { inputs: shapes([1], [1], [1]), attrs: {}, range },
      { inputs: shapes([3, 5], [3, 5], [3, 5]), attrs: {}, range },
      { inputs: shapes([2, 3, 8], [3, 1], [1, 8]), attrs: {}, range },
      ...(op === sin || op === cos ? [{ name: 'arguments of a timestep embedding', inputs: [[3, 40]], attrs: {}, range: [-1000, 1000] as const }] : []),
      ...(op === add ? [{ name: 'more elements than 65,535 workgroups hold', inputs: [[4_300_001], [1]], attrs: {} }] : []),
    ],
    errors: arity > 1 ? [{ name: 'shapes do not broadcast', inputs: [2, 3, 4].slice(0, arity).map((n) => ({ shape: [n], dtype: 'f32' })), attrs: {}, error: ShapeError }] : [],
  })
}
testOp(cast, {
  exact: true,
  cases: [
    { inputs: [[5]], attrs: { dtype: 'i32' }, range: [-9, 9] },
    { inputs: [{ shape: [5], dtype: 'i32', values: (i) => i - 2 }], attrs: { dtype: 'f32' } },
    { inputs: [{ shape: [6], dtype: 'u32', values: (i) => i }], attrs: { dtype: 'f32' } },
    { inputs: [{ shape: [7], dtype: 'f16', values: (i) => i / 8 }], attrs: { dtype: 'f32' } },
    { inputs: [{ shape: [7], dtype: 'bf16', values: (i) => i / 8 }], attrs: { dtype: 'f32' } },
    { inputs: [{ shape: [7], dtype: 'f32', values: (i) => i / 8 }], attrs: { dtype: 'bf16' } },
  ],
})
