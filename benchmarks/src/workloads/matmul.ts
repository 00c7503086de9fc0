import { matmulEntry, relativeError, samples } from '../reference/index.ts'
import type { Input, Workload } from '../workload.ts'
import { normals } from './normals.ts'

/** The nearest numbers that a half can hold. Inputs are of size 1, so only its mantissa of 11 bits counts. */
function halves({ shape, data }: Input): Input {
  return {
    shape,
    data: data.map((v) => {
      const step = v === 0 ? 1 : 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(v)))) - 10)
      return Math.round(v / step) * step
    }),
  }
}

/** `[M,K] × [K,N]`; sizes are M, K, N. Rounding of an f16 result to 11 bits, of values some four times the mean: 1e-3 and more. */
export function matmul(sizes: readonly [m: number, k: number, n: number], dtype: 'f32' | 'f16' = 'f32'): Workload {
  const [m, k, n] = sizes
  const square = m === k && k === n
  const id = `matmul-${square ? m : sizes.join('x')}${dtype === 'f16' ? '-f16' : ''}`
  return {
    id, kind: 'matmul', group: 'matrix products', dtype, title: `matmul ${sizes.join('×')}${dtype === 'f16' ? ', f16' : ''}`,
    work: { amount: 2 * m * k * n, unit: 'FLOP' }, tolerance: dtype === 'f16' ? 4e-3 : 1e-5,
    make() {
      const normal = normals(id)
      const draw = (shape: readonly number[]): Input => (dtype === 'f16' ? halves(normal(shape)) : normal(shape))
      const [a, b] = [draw([m, k]), draw([k, n])]
      return {
        inputs: { a, b },
        error: ([c = new Float32Array()]) => relativeError(c, (i) => matmulEntry(a.data, b.data, [k, n], i), samples(m * n, 200)),
      }
    },
  }
}
