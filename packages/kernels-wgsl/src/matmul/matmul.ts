import { gemm, type Layout } from '../gemm/index.ts'
import type { ApplyOp, Op, RefTensor, Vjp } from '../op.ts'
import { computableFloat, element, input, refZeros, sameDType, sizeOf } from '../shape.ts'
import { sumTo } from '../reduce/index.ts'
import { input as bind } from '../wgsl/index.ts'
import { dims, type MatmulAttrs, productOf } from './product.ts'

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

/** How an operand lies whose batches, lines and elements of the sum are so many elements apart. */
function layout([batch, line, k]: readonly [number, number, number], lines: number, inner: number): Layout {
  const along = k === 1 ? 'sum' : 'lines'
  const regular = [batch, along === 'sum' ? line : k, along === 'sum' ? inner : lines]
  return { along, multiple: [8, 4].find((n) => regular.every((x) => x % n === 0)) ?? 1 }
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
  kernels(problem, target) {
    const { m, n, k, batch, a, b } = productOf(problem)
    return gemm({
      label: 'matmul',
      problem,
      rows: m,
      cols: n,
      batch,
      outer: 1,
      inner: k,
      rowStride: n,
      params: {
        a_batch: a[0], a_row: a[1], a_k: a[2],
        b_batch: b[0], b_col: b[1], b_k: b[2],
      },
      storage: [bind(0, 'a'), bind(1, 'b')],
      aLayout: layout(a, m, k),
      bLayout: layout(b, n, k),
      walks: /* wgsl */ `
fn walk_a(z: u32, row: u32, k1: u32) -> Walk { return inside(z * P.a_batch + row * P.a_row, P.a_k); }
fn place(z: u32, col: u32) -> vec3u { return vec3u(z * P.b_batch + col * P.b_col, 0u, 0u); }
fn turn(k1: u32) -> vec3u { return vec3u(); }
fn walk_b(p: vec3u, t: vec3u) -> Walk { return inside(p.x, P.b_k); }
fn out_column(z: u32, col: u32) -> u32 { return z * P.rows * P.cols + col; }
`,
    }, target)
  },
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
