import { after, type Op, stopGradient as stop } from '@antipode/kernels-wgsl'
import { apply1, type Node, type Tensor } from '../graph/index.ts'
import { vjp } from './gradients.ts'

/** The same values, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return apply1(stop, [x])
}

/**
 * Computes `fn(...inputs)` without keeping what it computes in between: the backward pass builds those nodes again, after
 * the gradient that needs them has arrived (Chen et al. 2016, "Training deep nets with sublinear memory cost").
 * Tensors that `fn` captures, such as weights, get their gradients too.
 */
export function checkpoint(fn: (...inputs: readonly Tensor[]) => Tensor, ...inputs: readonly Tensor[]): Tensor {
  const result = fn(...inputs)
  const captured = leavesOf(result, new Set(inputs))
  const op: Op = {
    name: 'checkpoint',
    infer: ([out]) => (out ? [{ shape: out.shape, dtype: out.dtype }] : []),
    view: (v) => v,
    reference: ([out]) => (out ? [out] : []),
    vjp: (_call, { grads }) => {
      const g = grads[0] as Tensor | undefined
      if (g === undefined) return []
      const fresh = inputs.map((x) => apply1(after, [x, g]))
      const again = fn(...fresh)
      // T is Tensor here: this op exists only in graphs of tensors.
      return [undefined, ...vjp([again], [...fresh, ...captured], [g])] as never
    },
  }
  return apply1(op, [result, ...inputs, ...captured])
}

function leavesOf(root: Tensor, stopAt: ReadonlySet<Tensor>): Tensor[] {
  const leaves = new Set<Tensor>()
  const visited = new Set<Node>()
  const stack = [root]
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (stopAt.has(t)) continue
    const { source } = t
    if (source.kind === 'storage') leaves.add(t)
    if (source.kind !== 'node' || visited.has(source.node)) continue
    visited.add(source.node)
    stack.push(...source.node.inputs)
  }
  return [...leaves]
}
