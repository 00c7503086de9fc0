import { columnsOf } from '../gemm/index.ts'
import { type MatmulAttrs, matmulContraction } from '../matmul/index.ts'
import type { Kernel, Problem, Target } from '../op.ts'
import { columnBlock, panelCount, rowBlock } from './blocks.ts'
import { packPanels, panelTexels } from './operands/index.ts'
import { packingPays, texelsFit } from './packing-cost.ts'
import { product } from './product/index.ts'

/** The product on packed operands, or undefined where packing does not pay on this adapter. */
export function packedMatmul(problem: Problem<MatmulAttrs>, target: Target): readonly Kernel[] | undefined {
  const contraction = matmulContraction(problem)
  const { rows: m, sum: [k], batch, a, b } = contraction
  const n = columnsOf(contraction)
  const ofA = a.batch === 0 ? 1 : batch
  const ofB = b.batch === 0 ? 1 : batch
  if (!packingPays({ rows: m, cols: n, depth: k, batch, packed: k * (ofA * m + ofB * n) }, target)) return undefined
  const dtype = problem.inputs[0]?.dtype ?? 'f32'
  const width = columnBlock(target)
  const common = { label: 'matmul', dtype, outer: 1, length: k }
  const left = {
    ...common, input: 0, texture: 0, batch: ofA, rows: m, width: rowBlock(m, target).panel, panels: panelCount(m, target),
    steps: { batch: a.batch, row: a.row, radix: 1, turns: [0, 0], element: a.sum[0] },
  } as const
  const right = {
    ...common, input: 1, texture: 1, batch: ofB, rows: n, width, panels: Math.ceil(n / width),
    steps: { batch: b.batch, row: b.col, radix: 1, turns: [0, 0], element: b.sum },
  } as const
  const [texelsA, texelsB] = [panelTexels(left), panelTexels(right)]
  if (!texelsFit(target, texelsA, texelsB)) return undefined
  return [
    packPanels(left, target),
    packPanels(right, target),
    product({
      label: 'matmul', problem, rows: m, cols: n, batch, outer: 1, inner: Math.ceil(k / 4),
      a: { texture: 0, texels: texelsA, batch: a.batch === 0 ? 0 : texelsA / ofA },
      b: {
        texture: 1, texels: texelsB, offset: 0, batch: b.batch === 0 ? 0 : texelsB / ofB,
        steps: [0, width * Math.ceil(k / 4), 1], turnRadix: 1, turns: [0, 0], step: width,
      },
      // Columns count within their panels.
      columns: { radix: [right.panels, width] },
      out: { shape: [batch, m, n], place: ([z = 0, row = 0, col = 0]) => ({ offset: 0, batch: z, steps: [0, width * col, col], row }) },
    }, target),
  ]
}
