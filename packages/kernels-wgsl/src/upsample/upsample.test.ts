import { ShapeError } from '../errors.ts'
import { testOp } from '../testing.ts'
import { upsample, upsampleGrad } from './upsample.ts'

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const })

testOp(upsample, {
  exact: true,
  cases: [
    { inputs: [[2, 3, 2, 4]], attrs: { factor: 2 } },
    { name: 'rows that are not fours, by three', inputs: [[1, 2, 3, 3]], attrs: { factor: 3 } },
    { name: 'by one', inputs: [[1, 2, 3, 4]], attrs: { factor: 1 } },
    { name: 'many images', inputs: [[40, 6, 8, 10]], attrs: { factor: 2 } },
  ],
  errors: [
    { name: 'no image', inputs: [f32(2, 3)], attrs: { factor: 2 }, error: ShapeError },
    { name: 'half a factor', inputs: [f32(1, 1, 2, 2)], attrs: { factor: 1.5 }, error: ShapeError },
  ],
})
testOp(upsampleGrad, {
  cases: [
    { inputs: [[2, 3, 4, 8]], attrs: { factor: 2 } },
    { name: 'odd rows', inputs: [[1, 2, 6, 6]], attrs: { factor: 2 } },
    { name: 'by three', inputs: [[1, 2, 6, 9]], attrs: { factor: 3 } },
    { name: 'many images', inputs: [[40, 6, 16, 20]], attrs: { factor: 2 } },
  ],
  errors: [{ name: 'sides are not multiples', inputs: [f32(1, 1, 3, 4)], attrs: { factor: 2 }, error: ShapeError }],
})
