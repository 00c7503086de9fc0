import { ShapeError } from '../errors.ts'
import { testOp } from '../testing.ts'
import { expand, reduce } from './reduce.ts'

// Rows of nothing but what the other numbers are compared with first.
const extremes = ([['max', -Infinity], ['min', Infinity]] as const).flatMap(([kind, value]) => [[3, 20], [3, 5]].map((shape) => ({
  name: `${kind} of rows of ${value}`, inputs: [{ shape, values: () => value }], attrs: { kind, start: 1, end: 2 }, gradient: false,
})))
const planted = (['sum', 'max', 'min'] as const).flatMap((kind) => [[5, 3, 2], [4, 20]].map((shape) => ({
  inputs: [shape], attrs: { kind, start: 1, end: 2 },
})))

testOp(reduce, {
  specials: { cases: [...planted, { inputs: [[1, 9000]], attrs: { kind: 'max', start: 1, end: 2 } }] },
  cases: [
    ...extremes,
    { inputs: [[1]], attrs: { kind: 'sum', start: 0, end: 1 } },
    { inputs: [[3, 7]], attrs: { kind: 'mean', start: 1, end: 2 } },
    { inputs: [[5, 3, 11]], attrs: { kind: 'max', start: 1, end: 2 } },
    { name: 'rows too short for a workgroup', inputs: [[70, 3]], attrs: { kind: 'max', start: 1, end: 2 } },
    { inputs: [[4, 130]], attrs: { kind: 'min', start: 1, end: 2 } },
    { inputs: [[2, 3, 5, 2]], attrs: { kind: 'sum', start: 1, end: 3 } },
    { name: 'long row in two rounds', inputs: [[2, 20_001]], attrs: { kind: 'mean', start: 1, end: 2 } },
    { name: 'more rows than workgroups on an axis', inputs: [[70_001, 17]], attrs: { kind: 'sum', start: 1, end: 2 } },
  ],
  errors: [{ name: 'axes out of range', inputs: [{ shape: [2, 3], dtype: 'f32' }], attrs: { kind: 'sum', start: 1, end: 3 }, error: ShapeError }],
})
testOp(expand, { cases: [{ inputs: [[3, 1]], attrs: { shape: [2, 3, 4] } }] })
