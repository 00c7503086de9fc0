import { DTypeError, ShapeError } from '../errors.ts'
import { testOp } from '../testing.ts'
import { softmax } from './index.ts'

const attrs = {}

testOp(softmax, {
  cases: [
    { inputs: [[1]], attrs },
    { inputs: [[3, 7]], attrs },
    { inputs: [[2, 3, 12]], attrs },
    { inputs: [[2, 130]], attrs },
    { name: 'long rows', inputs: [[2, 4800]], attrs, gradient: false },
    { name: 'large values', inputs: [[4, 9]], attrs, range: [-300, 300], gradient: false },
    { name: 'more rows than workgroups on an axis', inputs: [[66_000, 3]], attrs },
    {
      name: 'some and all values at minus infinity',
      inputs: [{ shape: [4, 20], values: (i) => (i < 20 || i % 3 === 0 ? -Infinity : Math.sin(i)) }],
      attrs,
      gradient: false,
    },
  ],
  errors: [
    { name: 'rank 0', inputs: [{ shape: [], dtype: 'f32' }], attrs, error: ShapeError },
    { name: 'integers', inputs: [{ shape: [2], dtype: 'i32' }], attrs, error: DTypeError },
  ],
})
