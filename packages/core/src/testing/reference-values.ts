import type { RefTensor } from '@antipode/kernels-wgsl'
import type { Node, Tensor } from '../graph/index.ts'
import { decodeElements } from '../io/index.ts'

/**
 * Computes tensors in float64 by each op's reference.
 * @param given values of tensors behind which nothing is computed
 * @param leafData of tensors that nothing computes
 */
export function referenceValues(
  tensors: readonly Tensor[],
  given: (t: Tensor) => ArrayLike<number> | undefined,
  leafData: (t: Tensor) => ArrayLike<number>,
  { rounded = false }: { readonly rounded?: boolean } = {},
): Float64Array[] {
  const values = new Map<Tensor, RefTensor>()
  const valueOf = (t: Tensor): RefTensor => {
    const known = values.get(t)
    if (known) return known
    const value: RefTensor = { shape: t.shape, dtype: t.dtype, data: Float64Array.from(given(t) ?? leafData(t)) }
    values.set(t, value)
    return value
  }
  for (const node of nodesOf(tensors, (t) => given(t) !== undefined)) {
    const outputs = node.op.reference(node.inputs.map(valueOf), node.attrs)
    node.outputs.forEach((t, k) => {
      const output = outputs[k] as RefTensor
      values.set(t, rounded && t.dtype === 'f32' ? { ...output, data: output.data.map(Math.fround) } : output)
    })
  }
  return tensors.map((t) => valueOf(t).data)
}

/** What a tensor holds that is a number or a few of them; undefined for others. */
export function constantData({ source, dtype, size }: Tensor): ArrayLike<number> | undefined {
  if (source.kind === 'scalar') return [source.value]
  return source.kind === 'constant' ? decodeElements(source.bytes.slice().buffer as ArrayBuffer, dtype, size) : undefined
}

/** Every node the tensors depend on, in the order of making, not looking behind tensors whose value is given. */
export function nodesOf(tensors: readonly Tensor[], isGiven: (t: Tensor) => boolean = () => false): Node[] {
  const found = new Set<Node>()
  const stack = [...tensors]
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (isGiven(t) || t.source.kind !== 'node' || found.has(t.source.node)) continue
    found.add(t.source.node)
    stack.push(...t.source.node.inputs)
  }
  return [...found].sort((a, b) => a.order - b.order)
}
