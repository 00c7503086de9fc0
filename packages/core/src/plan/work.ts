import type { Attrs, DType, Fused, Op, PackedKernel, Problem, Spec, Step } from '@antipode/kernels-wgsl'
import type { Operand, ValueId, ValueSource } from './resolved.ts'

/** A scalar of the graph by its index, as an expression of that dtype takes it. */
export interface ScalarSlot {
  readonly index: number
  readonly dtype: DType
}

/** An elementwise expression over stored values. */
export interface Expression {
  readonly steps: readonly Step[]
  readonly inputs: readonly Operand[]
  /** The graph's scalars in the order of the expression's slots. */
  readonly scalars: readonly ScalarSlot[]
}

/** What a kernel op ends in: an expression of its first output, and the value that this gives. */
export interface Epilogue {
  readonly expression: Expression
  readonly output: ValueId
}

/** A kernel op, and what was fused into it. */
export interface KernelWork {
  readonly kind: 'kernel'
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly Operand[]
  readonly outputs: readonly ValueId[]
  /** The leaf that each output overwrites. */
  readonly overwrites: readonly (number | undefined)[]
  readonly epilogue: Epilogue | undefined
  readonly problem: Problem
  /** Its kernels, where they had to be known before: see {@link HandOver}. */
  readonly kernels: readonly PackedKernel[] | undefined
  /** The first output goes into this texture of the kernels only. */
  readonly packedOutput: number | undefined
  /** An operand that another kernel hands over in a texture. */
  readonly handOver: HandOver | undefined
}

/** An operand that the kernel which computes it writes as its only reader would pack it. */
export interface HandOver {
  readonly operand: number
  /** The texture of the reader's kernels in which it lies. */
  readonly texture: number
  readonly from: KernelWork
}

/** What is to be computed, in order; operands are computed before they are read. */
export type Work =
  | KernelWork
  /** An expression in a kernel of its own. */
  | { readonly kind: 'elementwise'; readonly expression: Expression; readonly output: ValueId }
  /** An output of the graph is taken. */
  | { readonly kind: 'result'; readonly operand: Operand }

/** An expression as kernels-wgsl wants it, over values of these specs. */
export function fusedOf(e: Expression, specOf: (value: ValueId) => Spec, output: Spec): Fused {
  return {
    inputs: e.inputs.map(({ value, view }) => ({ dtype: specOf(value).dtype, view })),
    scalars: e.scalars.map((s) => s.dtype),
    steps: e.steps,
    output,
  }
}

/** The expression that copies what a view of a value sees. */
export function copyOf(operand: Operand, { dtype }: Spec, source: ValueSource): Expression {
  if (source.kind !== 'scalar') return { steps: [], inputs: [operand], scalars: [] }
  const scalars = [{ index: source.index, dtype }]
  return { steps: [{ op: undefined, args: [{ kind: 'scalar', index: 0 }], dtype }], inputs: [], scalars }
}
