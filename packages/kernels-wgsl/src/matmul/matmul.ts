import { contract } from '../gemm/index.ts'
import type { ApplyOp, Op, RefTensor, Vjp } from '../op.ts'
import { computableFloat, element, input, refZeros, sameDType, sizeOf } from '../shape.ts'
import { sumTo } from '../reduce/index.ts'
import { input as bind } from '../wgsl/index.ts'
import { dims, type MatmulAttrs, matmulContraction } from './product.ts'

/** For each flat batch index of the output, the batch index of an operand whose batch axes broadcast. */
function batchMap(shape: readonly number[], batch: readonly number[]): number[] {
  const own = shape.slice(0, -2)
  return Array.from({ length: sizeOf(batch) }, (_, flat) => {
    let rest = flat
    let index = 0
    let step = 1
    for (let i = batch.length - 1; i >= 0; i--) {
      const size = batch[i] ?? 1
      const d = own[i - batch.length + own.length] ?? 1
      index += d === 1 ? 0 : (rest % size) * step
      step *= d
      rest = Math.floor(rest / size)
    }
    return index
  })
}

/**
 * Batched matrix product `[…, M, K] x [..., K, N] -> [..., M, N]` with either operand optionally transposed.
 * Batch axes broadcast when one operand has none or equal ones.
 * @throws {ShapeError} if inner sizes differ @throws {DTypeError} unless both are f32 or both f16
 */
export const matmul: Op<MatmulAttrs> = {
  name: 'matmul',
  epilogue: true,
  infer(inputs, attrs) {
    const dtype = computableFloat('matmul', input('matmul', inputs, 0))
    sameDType('matmul', inputs)
    const { m, n, batch } = dims(inputs, attrs)
    return [{ shape: [...batch, m, n], dtype }]
  },
  flops(inputs, outputs, attrs) {
    return 2 * sizeOf(outputs[0]?.shape ?? []) * dims(inputs, attrs).k
  },
  kernels: (problem, target) => contract({
    label: 'matmul', problem, contraction: matmulContraction(problem), storage: [bind(0, 'a'), bind(1, 'b')],
  }, target),
  // C = A·B: dA = dC·Bᵀ, dB = Aᵀ·dC, each in the layout of its operand
  vjp<T>(call: ApplyOp<T>, { inputs, grads, attrs, needs }: Vjp<T, MatmulAttrs>) {
    const [a, b] = inputs as readonly [T, T]
    const g = grads[0]
    if (g === undefined) return [undefined, undefined]
    const { transposeA: ta, transposeB: tb } = attrs
    const product = (x: T, y: T, transposeA: boolean, transposeB: boolean): T =>
      call(matmul, [x, y], { transposeA, transposeB })[0] as T
    const da = !needs[0] ? undefined : sumTo(call, ta ? product(b, g, tb, true) : product(g, b, false, !tb), call.spec(a).shape)
    const db = !needs[1] ? undefined : sumTo(call, tb ? product(g, a, true, ta) : product(a, g, !ta, false), call.spec(b).shape)
    return [da, db]
  },
  reference(inputs, attrs) {
    const [a, b] = inputs as readonly [RefTensor, RefTensor]
    const { m, n, k, batch } = dims(inputs, attrs)
    const out = refZeros([...batch, m, n], a.dtype)
    const mapA = batchMap(a.shape, batch)
    const mapB = batchMap(b.shape, batch)
    for (let z = 0; z < mapA.length; z++) {
      const az = (mapA[z] ?? 0) * m * k
      const bz = (mapB[z] ?? 0) * k * n
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0
          for (let l = 0; l < k; l++) {
            sum += element(a.data, az + (attrs.transposeA ? l * m + i : i * k + l)) *
              element(b.data, bz + (attrs.transposeB ? j * k + l : l * n + j))
          }
          out.data[(z * m + i) * n + j] = sum
        }
      }
    }
    return [out]
  },
}
