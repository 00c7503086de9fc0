import { type DType, f32Bits, isFloat } from '@antipode/kernels-wgsl'
import { DisposedError, UnsupportedError } from '../errors.ts'
import { leafKey, type Node, type Storage, type Tensor } from '../graph/index.ts'
import { type Leaf, type LeafRef, Leaves } from './leaves.ts'

/** What a value of a graph is, as the planner sees it. */
export type ValueRef =
  | LeafRef
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'constant'; readonly index: number }
  | { readonly kind: 'output'; readonly node: number; readonly index: number }

/** A graph cut loose from its tensors: nodes in the order in which they run, operands before results. */
export interface Graph {
  readonly nodes: readonly { readonly node: Node; readonly inputs: readonly ValueRef[] }[]
  readonly leaves: readonly Leaf[]
  /** What the tensors it reads own. */
  readonly storages: ReadonlySet<Storage>
  /** The bits of each scalar in its own dtype: f32 bits for real ones. */
  readonly scalars: Uint32Array
  readonly scalarTypes: readonly DType[]
  readonly constants: readonly Tensor[]
  readonly outputs: readonly ValueRef[]
  /** Equal for graphs that one plan serves. */
  readonly key: string
}

/**
 * Collects what the outputs depend on, iteratively (a graph can be deeper than the call stack). Nodes run in the order in
 * which they were made: a backward pass then frees each activation where its gradient is taken, and a checkpoint rebuilds
 * its own just before. Ops that overwrite an operand come after everything that does not depend on them, so that other
 * readers see the old value. @throws {DisposedError} if something needed was disposed
 * @throws {UnsupportedError} if tensors of several devices meet
 */
export function walk(outputs: readonly Tensor[]): Graph {
  const refs = new Map<Tensor, ValueRef>()
  const order: Node[] = []
  const stored = new Map<Tensor, Storage>()
  const scalars: number[] = []
  const scalarTypes: DType[] = []
  const constants: Tensor[] = []
  const visited = new Set<Node>()
  const device = outputs[0]?.device

  const leaf = (t: Tensor): boolean => {
    if (refs.has(t) || stored.has(t)) return true
    const { source } = t
    if (source.kind === 'node') return false
    if (source.kind === 'disposed') {
      throw new DisposedError(`evaluate: a ${t.dtype}[${t.shape.join(',')}] that the graph needs was disposed; keep it until the result is evaluated`)
    }
    if (source.kind === 'scalar') {
      scalarTypes.push(t.dtype)
      refs.set(t, { kind: 'scalar', index: scalars.push(scalarBits(source.value, t.dtype)) - 1 })
    } else if (source.kind === 'constant') refs.set(t, { kind: 'constant', index: constants.push(t) - 1 })
    else stored.set(t, source.storage)
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
    if (out.device !== device) throw new UnsupportedError('evaluate: expected tensors of one device, got two; evaluate them apart')
    push(out)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const t = top.node.inputs[top.next++]
      if (t) {
        push(t)
        continue
      }
      stack.pop()
      order.push(top.node)
    }
  }
  order.sort((a, b) => a.order - b.order)
  const nodes = order.some((n) => n.op.inplace) ? byLevel(order) : order
  nodes.forEach((n, i) => { n.outputs.forEach((t, index) => { if (!refs.has(t)) refs.set(t, { kind: 'output', node: i, index }) }) })
  const leaves = new Leaves(nodes)
  for (const [t, storage] of stored) refs.set(t, leaves.of(t, storage))
  const ref = (t: Tensor): ValueRef => refs.get(t) as ValueRef
  const described = nodes.map((node) => ({ node, inputs: node.inputs.map(ref) }))
  const text = (r: ValueRef): string => (r.kind === 'output' ? `${r.node}.${r.index}` : `${r.kind[0]}${r.index}${r.kind === 'leaf' && r.part ? `@${r.part.start}` : ''}`)
  const key = [
    leaves.list.map(({ spec }) => leafKey(spec.dtype, spec.shape)).join(','),
    constants.map((t) => leafKey(t.dtype, t.shape)).join(','),
    scalarTypes.join(','),
    described.map(({ node, inputs }) => `${node.key}(${inputs.map(text).join(',')})`).join(''),
    outputs.map((t) => text(ref(t))).join(','),
  ].join('|')
  return {
    nodes: described, leaves: leaves.list, storages: new Set(stored.values()), scalars: Uint32Array.from(scalars), scalarTypes, constants,
    outputs: outputs.map(ref), key,
  }
}

/** Stable order by how many overwriting ops a node depends on, itself included. */
function byLevel(nodes: readonly Node[]): Node[] {
  const levels = new Map<Node, number>()
  for (const n of nodes) {
    const inputs = n.inputs.map((t) => (t.source.kind === 'node' ? levels.get(t.source.node) ?? 0 : 0))
    levels.set(n, Math.max(0, ...inputs) + (n.op.inplace ? 1 : 0))
  }
  return [...nodes].sort((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0))
}

function scalarBits(value: number, dtype: DType): number {
  return isFloat(dtype) ? f32Bits(value) : value >>> 0
}
