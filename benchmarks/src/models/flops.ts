import type { Tensor } from '@antipode/core'
import { flopsOf } from '@antipode/models'

/**
 * Floating-point operations on the way to tensors that are not evaluated yet, counted as {@link flopsOf} counts them, and those
 * of the gradients of convolutions and attention besides: what a training step amounts to.
 */
export function trainingFlopsOf(...outputs: readonly Tensor[]): number {
  const seen = new Set<unknown>()
  const stack = [...outputs]
  let flops = flopsOf(...outputs)
  for (let t = stack.pop(); t; t = stack.pop()) {
    const { source } = t
    if (source.kind !== 'node' || seen.has(source.node)) continue
    const { node } = source
    seen.add(node)
    stack.push(...node.inputs)
    const [a, b] = node.inputs
    if (!a || !b) continue
    const { name } = node.op
    // From the gradient of the result and the filters: as many taps as forward.
    if (name === 'conv2dInputGrad') flops += 2 * a.size * b.size / (b.shape[0] ?? 1)
    if (name === 'conv2dWeightGrad') flops += 2 * a.size * node.specs[0]!.shape.slice(1).reduce((x, y) => x * y, 1)
    // Two products each, of the weights' gradient with v and k, and of the weights and theirs with g and q; scores made anew do not count.
    if (name === 'attentionGradQ' || name === 'attentionGradKV') flops += 4 * a.size * (b.shape[2] ?? 0)
  }
  return flops
}
