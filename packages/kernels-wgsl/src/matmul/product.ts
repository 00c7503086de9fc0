import { ShapeError } from '../errors.ts'
import type { Contraction } from '../gemm/index.ts'
import type { Problem, Spec } from '../op.ts'
import { broadcastShapes, input, shapeText, sizeOf } from '../shape.ts'

/** Attributes of `matmul`: whether an operand's last two axes are swapped before multiplying. */
export type MatmulAttrs = { readonly transposeA: boolean; readonly transposeB: boolean }

/** Sizes of a product. */
interface Dims {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly batch: readonly number[]
}

/** The sizes of a product of these operands. @throws {ShapeError} if they do not fit */
export function dims(inputs: readonly Spec[], { transposeA, transposeB }: MatmulAttrs): Dims {
  const a = input('matmul', inputs, 0).shape
  const b = input('matmul', inputs, 1).shape
  if (a.length < 2 || b.length < 2) {
    throw new ShapeError(`matmul: expected operands of rank 2 or more, got ${shapeText(a)} x ${shapeText(b)}`)
  }
  const [ar = 1, ac = 1] = a.slice(-2)
  const [br = 1, bc = 1] = b.slice(-2)
  const [m, ka] = transposeA ? [ac, ar] : [ar, ac]
  const [kb, n] = transposeB ? [bc, br] : [br, bc]
  if (ka !== kb) {
    throw new ShapeError(
      `matmul: inner sizes differ: ${shapeText(a)}${transposeA ? 'ᵀ' : ''} x ${shapeText(b)}${transposeB ? 'ᵀ' : ''} (${ka} vs ${kb})`,
    )
  }
  return { m, n, k: ka, batch: broadcastShapes('matmul', [a.slice(0, -2), b.slice(0, -2)]) }
}

/** The product that a problem asks for. @throws {ShapeError} if an operand has some of the batch axes, but not all */
export function matmulContraction({ inputs: [a, b], attrs }: Problem<MatmulAttrs>): Contraction {
  const { m, n, k, batch } = dims([a, b].flatMap((s) => s ?? []), attrs)
  const count = sizeOf(batch)
  const shared = (s: Spec | undefined): boolean => sizeOf((s?.shape ?? []).slice(0, -2)) === 1
  for (const s of [a, b]) {
    if (s && !shared(s) && sizeOf(s.shape.slice(0, -2)) !== count) {
      throw new ShapeError(`matmul: batch axes of ${shapeText(s.shape)} broadcast partly; expand it to [${batch.join(',')}] first`)
    }
  }
  const { transposeA, transposeB } = attrs
  return {
    batch: count, rows: m, cols: [n, 1, 1], sum: [k, 1, 1],
    a: { batch: shared(a) ? 0 : m * k, row: transposeA ? 1 : k, sum: [transposeA ? m : 1, 0, 0] },
    b: { batch: shared(b) ? 0 : k * n, col: transposeB ? k : 1, sum: transposeB ? 1 : n },
    out: { shape: [count, m, n], batch: { axis: 0, step: 1 }, row: 1, cols: [{ axis: 2, step: 1 }] },
  }
}
