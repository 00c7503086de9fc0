import type { DType, Problem } from '../op.ts'
import type { Storage } from '../wgsl/index.ts'

/**
 * The one matrix product that matmul, the three convolutions and their gradients share:
 * `out[z, row, col] = Σ_k1 Σ_k2 a(z, row, k1, k2) · b(z, col, k1, k2)`, where an op says in WGSL how operands are walked.
 */
export interface Gemm {
  readonly label: string
  readonly problem: Problem
  /** Rows, columns and batches of the product, and the two loops of the inner sum. */
  readonly rows: number
  readonly cols: number
  readonly batch: number
  readonly outer: number
  readonly inner: number
  /** Uniform fields that `walks` reads as `P.name`. */
  readonly params: Readonly<Record<string, number>>
  readonly storage: readonly [a: Storage, b: Storage]
  /** How operands lie; the left one along the sum and the right one along the columns where nothing is said. */
  readonly aLayout?: Layout
  readonly bLayout?: Layout
  /** Elements of the output from one row to the next; columns stand side by side in runs of so many, each at a multiple of it. */
  readonly rowStride: number
  /**
   * WGSL, all indices u32, of
   * `fn column_base(z, col) -> vec3u` and `fn outer_offset(k1) -> vec3u`: what a column and a round of the outer sum have in common, worked
   * out once, since division is dear on software adapters;
   * `fn walk_a(z, row, k1) -> Run` and `fn walk_b(base, offset) -> Run`: element k2 of an operand stands at
   * `base + k2·step` and counts as zero unless `x + k2·dx < limit` (so a negative x is out);
   * `fn out_column(z, col) -> u32`: where row 0 of a column is stored.
   */
  readonly walks: string
}

/** How an operand of a product lies in its buffer. */
export interface Layout {
  /** Where neighbours in memory are neighbours too: along the inner sum, or along the rows or columns. */
  readonly along: 'sum' | 'lines'
  /** Those stand side by side in runs that begin and end at multiples of so many elements; 1 where they do not. */
  readonly multiple: number
}

/** How an operand lies where its op says nothing: the left one along the sum, the right one along the columns, one by one. */
export function layoutOf(g: Gemm, name: 'a' | 'b'): Layout {
  return g[`${name}Layout`] ?? { along: name === 'a' ? 'sum' : 'lines', multiple: 1 }
}

/** The element type of what is stored. */
export function outputType(problem: Problem): DType {
  return problem.epilogue?.dtype ?? problem.outputs[0]?.dtype ?? 'f32'
}
