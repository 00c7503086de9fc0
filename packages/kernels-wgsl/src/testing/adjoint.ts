import { type Attrs, isFloat, type Op, type RefTensor } from '../op.ts'
import { noise } from './cases.ts'
import { refCall } from './test-op.ts'

/**
 * How far the gradient rule of a linear op is from its adjoint: |⟨g, f(x)⟩ − ⟨f*(g), x⟩| relative to the larger one, for
 * a random g. The random inputs x are those of float dtypes; 0 up to rounding for a rule that is right.
 */
export function adjointGap<A extends Attrs>(op: Op<A>, inputs: readonly RefTensor[], attrs: A): number {
  const dot = (a: RefTensor | undefined, b: RefTensor | undefined): number => a?.data.reduce((s, v, i) => s + v * (b?.data[i] ?? Number.NaN), 0) ?? 0
  const outputs = op.reference(inputs, attrs)
  const grads = outputs.map((o, k) => ({ ...o, data: noise(o.data.length, 31 + k) }))
  const needs = inputs.map((i) => isFloat(i.dtype))
  const back = op.vjp?.(refCall, { inputs, outputs, grads, attrs, needs }) ?? []
  const forth = outputs.reduce((s, o, k) => s + dot(o, grads[k]), 0)
  const returned = inputs.reduce((s, x, k) => s + dot(back[k], x), 0)
  return Math.abs(forth - returned) / Math.max(1e-9, Math.abs(forth), Math.abs(returned))
}
