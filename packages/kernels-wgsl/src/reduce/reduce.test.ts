import { ShapeError } from '../errors.ts'
import { testOp } from '../testing.ts'
import { expand, reduce } from './reduce.ts'

testOp(reduce, {
  cases: [
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
