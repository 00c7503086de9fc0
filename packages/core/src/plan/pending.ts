import { type Attrs, type DType, isFloat, type Op, type Spec } from '@antipode/kernels-wgsl'
import type { Operand, ValueId } from './resolved.ts'
import type { Expression } from './work.ts'

/** A kernel op that is yet to become work: later elementwise ops may still become its epilogue. */
export interface PendingKernel {
  readonly op: Op
  readonly attrs: Attrs
  readonly inputs: readonly Operand[]
  readonly outputs: readonly ValueId[]
  /** The leaf that each output overwrites. */
  readonly overwrites: readonly (number | undefined)[]
  /** The value of the expression that took it in, once one has. */
  owner: ValueId | undefined
  emitted: boolean
}

/** A kernel op that nothing has taken in yet. */
export function pendingKernel(kernel: Omit<PendingKernel, 'owner' | 'emitted'>): PendingKernel {
  return { ...kernel, owner: undefined, emitted: false }
}

/** An elementwise expression that is yet to become work, and the kernel in which it may begin. */
export interface PendingExpression extends Expression {
  readonly root: PendingKernel | undefined
}

/** What is known of a value while ops are fused: it is computed, a number, or yet to be computed. */
export type State =
  | { readonly kind: 'stored' }
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'expression'; readonly expression: PendingExpression }
  | { readonly kind: 'kernel'; readonly kernel: PendingKernel }

/** Whether work on this value may become the kernel's epilogue, which takes and gives a real number. */
export function mayEndIn(kernel: PendingKernel, value: ValueId, { dtype }: Spec, output: DType): boolean {
  return kernel.op.epilogue === true && kernel.outputs[0] === value && isFloat(dtype) && isFloat(output)
}
