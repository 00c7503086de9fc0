import { DTypeError, ShapeError } from '../errors.ts'
import { type CaseInput, noise, testOp } from '../testing.ts'
import { matmul } from './matmul.ts'

/** Random numbers but for NaN, ∞ and −∞ in three of its rows, the last element among them. */
const wild = (shape: readonly number[]): CaseInput => {
  const values = noise(shape.reduce((a, b) => a * b), 1)
  values[3] = Number.NaN
  values[(shape.at(-1) ?? 0) * 70] = Infinity
  values[values.length - 1] = -Infinity
  return { shape, values: (i) => values[i] ?? 0 }
}
const nn = { transposeA: false, transposeB: false }
testOp(matmul, {
  cases: [
    { inputs: [[1, 1], [1, 1]], attrs: nn },
    { inputs: [[3, 5], [5, 7]], attrs: nn },
    { name: 'one row', inputs: [[1, 45], [45, 70]], attrs: nn },
    { name: 'as many rows as lanes', inputs: [[7, 45], [45, 70]], attrs: nn },
    { inputs: [[5, 3], [5, 7]], attrs: { transposeA: true, transposeB: false } },
    { inputs: [[3, 5], [7, 5]], attrs: { transposeA: false, transposeB: true } },
    { inputs: [[5, 3], [7, 5]], attrs: { transposeA: true, transposeB: true } },
    { name: 'shared right operand', inputs: [[2, 3, 4, 5], [5, 6]], attrs: nn },
    { name: 'shared left operand', inputs: [[4, 5], [3, 5, 2]], attrs: nn },
    { inputs: [[2, 33, 70], [2, 70, 130]], attrs: nn },
    { name: 'packed operands, whole blocks', inputs: [[96, 128], [128, 96]], attrs: nn },
    { name: 'packed operands, tails everywhere', inputs: [[3, 101, 131], [3, 131, 103]], attrs: nn },
    { name: 'packed operands, rows that are not finite', inputs: [wild([3, 101, 131]), [3, 131, 103]], attrs: nn },
    { name: 'packed operands, columns that are not finite', inputs: [[3, 101, 131], wild([3, 131, 103])], attrs: nn },
    { name: 'packed left operand shared, transposed', inputs: [[131, 101], [3, 103, 131]], attrs: { transposeA: true, transposeB: true } },
    { name: 'lines of whole vectors, both transposed', inputs: [[64, 40], [72, 64]], attrs: { transposeA: true, transposeB: true } },
    { name: 'a sum so long that it is cut', inputs: [[3, 531], [531, 20]], attrs: nn },
    { name: 'packed right operand shared', inputs: [[3, 67, 130], [130, 70]], attrs: nn },
    { name: 'more row blocks than workgroups on an axis', inputs: [[1_100_000, 1], [1, 2]], attrs: nn, slow: true },
    { name: 'more batches than workgroups on an axis', inputs: [[66_000, 1, 1], [66_000, 1, 2]], attrs: nn, slow: true },
  ],
  errors: [
    { name: 'inner sizes', inputs: [{ shape: [2, 3], dtype: 'f32' }, { shape: [4, 5], dtype: 'f32' }], attrs: nn, error: ShapeError },
    { name: 'dtypes', inputs: [{ shape: [2, 3], dtype: 'f32' }, { shape: [3, 5], dtype: 'f16' }], attrs: nn, error: DTypeError },
  ],
})
