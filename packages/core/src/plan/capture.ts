import { type DType, entry, f32Bits, isFloat } from '@antipode/kernels-wgsl'
import { DisposedError, UnsupportedError } from '../errors.ts'
import { type Node, sharedSpec, type Storage, type Tensor } from '../graph/index.ts'
import type { Graph, Leaf, ValueRef } from './graph.ts'
import { inlined } from './inline.ts'
import { Leaves } from './leaves.ts'

/**
 * Collects what the outputs depend on, iteratively (a graph can be deeper than the call stack). Nodes run in the order
 * in which they were made: a backward pass then frees each activation where its gradient is taken, and a checkpoint
 * rebuilds its own just before. Ops that overwrite an operand come after everything that does not depend on them, so
 * that other readers see the old value. @throws {DisposedError} if something needed was disposed
 * @throws {UnsupportedError} if tensors of several devices meet
 */
export function captureGraph(outputs: readonly Tensor[]): Graph {
  const refs = new Map<Tensor, ValueRef>()
  const stored = new Map<Tensor, Storage>()
  const scalars: number[] = []
  const scalarTypes: DType[] = []
  const constants: Tensor[] = []
  const nodes = nodesBehind(outputs, (t) => {
    const { source } = t
    if (source.kind === 'disposed') {
      throw new DisposedError(
        `evaluate: a ${t.dtype}[${t.shape.join(',')}] that the graph needs was disposed; ` +
        'keep it until the result is evaluated',
      )
    } else if (source.kind === 'storage') stored.set(t, source.storage)
    else if (source.kind === 'argument') {
      throw new UnsupportedError(
        'evaluate: expected a value, got an argument of a function that is being compiled, or what depends on it; ' +
        'give it back and evaluate that',
      )
    } else if (refs.has(t)) return
    else if (source.kind === 'constant') refs.set(t, { kind: 'constant', index: constants.push(t) - 1 })
    else if (source.kind === 'scalar') {
      scalarTypes.push(t.dtype)
      refs.set(t, { kind: 'scalar', index: scalars.push(scalarBits(source.value, t.dtype)) - 1 })
    }
  })
  const places = new Map(nodes.map((node, place) => [node, place]))
  const leaves = new Leaves(nodes)
  for (const [t, storage] of stored) refs.set(t, leaves.of(t, storage))
  const ref = (t: Tensor): ValueRef => {
    const { source } = t
    if (source.kind !== 'node') return entry(refs, t)
    return { kind: 'output', node: entry(places, source.node), index: source.index }
  }
  const described = nodes.map((node) => ({ node, inputs: node.inputs.map(ref) }))
  const calls = {
    nodes: described, leaves: leaves.list, storages: new Set(stored.values()), scalars: Uint32Array.from(scalars),
    scalarTypes, constants, outputs: outputs.map(ref),
  }
  return new CapturedGraph(calls, keyOf(calls))
}

/**
 * The nodes that outputs depend on, calls of compiled functions as they are, in the order in which they run. What is no
 * node is given to `leaf`, more than once if several read it. @throws {UnsupportedError} if tensors of several devices
 * meet
 */
export function nodesBehind(outputs: readonly Tensor[], leaf: (t: Tensor) => void = () => undefined): readonly Node[] {
  const device = outputs[0]?.device
  const order: Node[] = []
  const found = new Set<Node>()
  const stack: { node: Node; next: number }[] = []
  const push = (t: Tensor): void => {
    if (t.source.kind !== 'node') {
      leaf(t)
      return
    }
    const { node } = t.source
    if (found.has(node)) return
    found.add(node)
    stack.push({ node, next: 0 })
  }
  for (const out of outputs) {
    if (out.device !== device) {
      throw new UnsupportedError('evaluate: expected tensors of one device, got two; evaluate them apart')
    }
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
  return order.some((n) => n.op.inplace) ? byLevel(order) : order
}

type Calls = Omit<Graph, 'key'>

/**
 * A graph as it was captured. Calls of compiled functions are told by their key alone; the nodes they stand for are
 * worked out when someone asks for nodes or outputs.
 */
class CapturedGraph implements Graph {
  readonly leaves: readonly Leaf[]
  readonly storages: ReadonlySet<Storage>
  readonly scalars: Uint32Array
  readonly scalarTypes: readonly DType[]
  readonly constants: readonly Tensor[]
  readonly key: string
  readonly #calls: Calls
  #whole: Pick<Graph, 'nodes' | 'outputs'> | undefined

  constructor(calls: Calls, key: string) {
    this.leaves = calls.leaves
    this.storages = calls.storages
    this.scalars = calls.scalars
    this.scalarTypes = calls.scalarTypes
    this.constants = calls.constants
    this.key = key
    this.#calls = calls
  }

  get nodes(): Graph['nodes'] {
    return this.#inlined().nodes
  }

  get outputs(): Graph['outputs'] {
    return this.#inlined().outputs
  }

  #inlined(): Pick<Graph, 'nodes' | 'outputs'> {
    this.#whole ??= inlined(this.#calls)
    return this.#whole
  }
}

/**
 * All of a graph that its plan depends on, as a list of numbers; each node's key tells how many of them are its
 * operands.
 */
function keyOf({ nodes, leaves, scalarTypes, constants, outputs }: Calls): string {
  const numbers = [leaves.length, constants.length, scalarTypes.length, nodes.length]
  const note = (r: ValueRef): void => {
    if (r.kind === 'output') numbers.push(r.node, r.index)
    else if (r.kind === 'leaf') numbers.push(-3 - r.index, r.part?.start ?? -1)
    else numbers.push(r.kind === 'scalar' ? -1 : -2, r.index)
  }
  for (const { spec, owner } of leaves) numbers.push(spec.key, owner)
  for (const { spec } of constants) numbers.push(spec.key)
  for (const dtype of scalarTypes) numbers.push(sharedSpec({ shape: [], dtype }).key)
  for (const { node, inputs } of nodes) {
    numbers.push(node.key)
    for (const r of inputs) note(r)
  }
  for (const r of outputs) note(r)
  return numbers.join()
}

/** Stable order by how many overwriting ops a node depends on, itself included. */
function byLevel(nodes: readonly Node[]): Node[] {
  // Of those that depend on one at all: few, as they come last.
  const levels = new Map<Node, number>()
  for (const n of nodes) {
    let level = 0
    for (const { source } of n.inputs) if (source.kind === 'node') level = Math.max(level, levels.get(source.node) ?? 0)
    if (n.op.inplace) level++
    if (level > 0) levels.set(n, level)
  }
  return [...nodes].sort((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0))
}

function scalarBits(value: number, dtype: DType): number {
  return isFloat(dtype) ? f32Bits(value) : value >>> 0
}
