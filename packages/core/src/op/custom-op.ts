import type { Attrs, Op } from '@antipode/kernels-wgsl'
import { ConfigError } from '../errors.ts'
import { apply, type Tensor } from '../graph/index.ts'

/**
 * Makes a function of tensors of an op that stands outside this library. What it gives is planned, fused with what follows if the op
 * takes an epilogue, differentiated if it has a rule, and interpreted in float64 like every other op.
 *
 * Name the op after your package (`acme/cumsum`): errors, profiles and shader labels show it.
 * @returns the op's outputs, given its inputs and attributes; it throws what the op's `infer` throws
 * @throws {ConfigError} if the op has no name, does not say how it computes, or says it in more than one way
 */
export function customOp<A extends Attrs>(op: Op<A>): (inputs: readonly Tensor[], attrs: A) => readonly Tensor[] {
  if (typeof op.name !== 'string' || op.name === '') throw new ConfigError('customOp: expected an op with a name, got none; name it after your package')
  const ways = [op.kernels && 'kernels', op.view && 'view', op.pointwise && 'pointwise'].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    throw new ConfigError(`customOp: "${op.name}": expected an op that has kernels, a view or a pointwise expression, got ${ways.join(' and ') || 'none of them'}`)
  }
  for (const part of ['infer', 'reference'] as const) {
    if (typeof op[part] !== 'function') throw new ConfigError(`customOp: "${op.name}": expected a function ${part}, got ${typeof op[part]}`)
  }
  return (inputs, attrs) => apply(op as unknown as Op, inputs, attrs)
}
