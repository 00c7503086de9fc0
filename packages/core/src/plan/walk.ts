import type { DType } from '@antipode/kernels-wgsl'
import { DisposedError } from '../errors.ts'
import { leafKey, type Node, type Storage, type Tensor } from '../graph/index.ts'

/** What a value of a graph is, as the planner sees it. */
export type ValueRef =
  | { readonly kind: 'leaf'; readonly index: number }
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'constant'; readonly index: number }
  | { readonly kind: 'output'; readonly node: number; readonly index: number }

/** A graph cut loose from its tensors: nodes in an order in which they can run, operands before results. */
export interface Graph {
  readonly nodes: readonly { readonly node: Node; readonly inputs: readonly ValueRef[] }[]
  readonly leaves: readonly { readonly tensor: Tensor; readonly storage: Storage }[]
  readonly scalars: Float32Array
  readonly scalarTypes: readonly DType[]
  readonly constants: readonly Tensor[]
  readonly outputs: readonly ValueRef[]
  /** Equal for graphs that one plan serves. */
  readonly key: string
}

/**
 * Collects what the outputs depend on, depth first and iteratively (a graph can be deeper than the call stack).
 * Ops that overwrite an operand come last, with all that depends on them, so that every other reader sees the old value.
 */
export function walk(outputs: readonly Tensor[]): Graph {
  const refs = new Map<Tensor, ValueRef>()
  const order: Node[] = []
  const leaves: { tensor: Tensor; storage: Storage }[] = []
  const storages = new Map<Storage, ValueRef>()
  const scalars: number[] = []
  const scalarTypes: DType[] = []
  const constants: Tensor[] = []
  const visited = new Set<Node>()
  const late = new Set<Node>()

  const leaf = (t: Tensor): boolean => {
    if (refs.has(t)) return true
    const { source } = t
    if (source.kind === 'node') return false
    if (source.kind === 'disposed') {
      throw new DisposedError(`evaluate: a ${t.dtype}[${t.shape.join(',')}] that the graph needs was disposed; keep it until the result is evaluated`)
    }
    if (source.kind === 'scalar') {
      scalarTypes.push(t.dtype)
      refs.set(t, { kind: 'scalar', index: scalars.push(source.value) - 1 })
    } else if (source.kind === 'constant') refs.set(t, { kind: 'constant', index: constants.push(t) - 1 })
    else {
      const known = storages.get(source.storage) ?? { kind: 'leaf', index: leaves.push({ tensor: t, storage: source.storage }) - 1 }
      storages.set(source.storage, known)
      refs.set(t, known)
    }
    return true
  }

  const stack: { node: Node; next: number }[] = []
  const push = (t: Tensor): void => {
    const { source } = t
    if (leaf(t) || source.kind !== 'node' || visited.has(source.node)) return
    visited.add(source.node)
    stack.push({ node: source.node, next: 0 })
  }
  for (const out of outputs) {
    push(out)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const t = top.node.inputs[top.next++]
      if (t) {
        push(t)
        continue
      }
      stack.pop()
      order.push(top.node)
      if (top.node.op.inplace || top.node.inputs.some((x) => x.source.kind === 'node' && late.has(x.source.node))) late.add(top.node)
    }
  }
  const nodes = [...order.filter((n) => !late.has(n)), ...order.filter((n) => late.has(n))]
  nodes.forEach((n, i) => { n.outputs.forEach((t, index) => { if (!refs.has(t)) refs.set(t, { kind: 'output', node: i, index }) }) })
  const ref = (t: Tensor): ValueRef => refs.get(t) as ValueRef
  const described = nodes.map((node) => ({ node, inputs: node.inputs.map(ref) }))
  const text = (r: ValueRef): string => (r.kind === 'output' ? `${r.node}.${r.index}` : `${r.kind[0]}${r.index}`)
  const key = [
    leaves.map((l) => leafKey(l.tensor.dtype, l.tensor.shape)).join(','),
    constants.map((t) => leafKey(t.dtype, t.shape)).join(','),
    described.map(({ node, inputs }) => `${node.key}(${inputs.map(text).join(',')})`).join(''),
    outputs.map((t) => text(ref(t))).join(','),
  ].join('|')
  return {
    nodes: described, leaves, scalars: Float32Array.from(scalars), scalarTypes, constants,
    outputs: outputs.map(ref), key,
  }
}
