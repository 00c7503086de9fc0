import { describe, expect, test } from 'vitest'
import { DTypeError } from '../errors.ts'
import { testOp } from '../testing.ts'
import { flatConcat, flatOffsets } from './flat-concat.ts'

testOp(flatConcat, {
  exact: true,
  cases: [
    { inputs: [[1]], attrs: {} },
    { inputs: [[3, 5], [1], [128], [129], [2, 64]], attrs: {} },
    { name: 'rank 0 and nothing', inputs: [[], [0, 3], [2]], attrs: {} },
    { name: 'integers', inputs: [{ shape: [3], dtype: 'i32', values: (i) => i - 1 }, { shape: [4], dtype: 'i32', values: (i) => i * 7 }], attrs: {} },
    { name: 'several rounds of the loop', inputs: [[60, 1100], [66_001], ...Array.from({ length: 70 }, (_, i) => [i])], attrs: {} },
  ],
  errors: [
    { name: 'two dtypes', inputs: [{ shape: [2], dtype: 'f32' }, { shape: [2], dtype: 'f16' }], attrs: {}, error: DTypeError },
    { name: 'bf16', inputs: [{ shape: [2], dtype: 'bf16' }], attrs: {}, error: DTypeError },
  ],
})

describe.skipIf(globalThis.kernelTestHost)('flatConcat', () => {
  test('starts every tensor where a binding may start', () => {
    expect(flatOffsets([1, 128, 129, 0, 5])).toEqual({ starts: [0, 128, 256, 512, 512], size: 640 })
  })
})
