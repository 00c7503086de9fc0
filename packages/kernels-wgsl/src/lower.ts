import type { Attrs, Kernel, Op, Problem, Target } from './op.ts'
import { packedForms } from './packed/index.ts'

/** The kernels of an op on a target: those of its packed form where that pays, else its own; none of a view. */
export function lower<A extends Attrs>(op: Op<A>, problem: Problem<A>, target: Target): readonly Kernel[] {
  return packedForms(op)?.kernels?.(problem, target) ?? op.kernels?.(problem, target) ?? []
}
