import { at, entry, type Op, type RefTensor } from '@antipode/kernels-wgsl'
import { ConfigError, UnsupportedError } from '../errors.ts'
import { applyTrace, signatureOfTrace, type Node, Tensor, type Trace, type TracedNode, type TraceRef } from '../graph/index.ts'
import { flatten, withTensors } from './tree.ts'

/**
 * Runs a function once on tensors that stand for its arguments, and gives what calls it without running it.
 * @param tensors those among the arguments, in order
 * @throws {ConfigError} if it gives a promise @throws {UnsupportedError} if it updates tensors in place
 */
export function traced<A extends readonly unknown[], R>(fn: (...args: A) => R, args: A, tensors: readonly Tensor[]): (tensors: readonly Tensor[]) => R {
  const stands = tensors.map((t) => new Tensor(t.device, t.spec, { kind: 'argument' }))
  const result = fn(...withTensors(args, stands))
  if (result instanceof Promise) {
    throw new ConfigError('compile: expected a function that gives tensors to be computed, got one that gives a promise; evaluate what the compiled function gives')
  }
  const results = flatten(result).tensors
  const { inputs, trace, refs } = record(results, stands)
  const captured = inputs.slice(stands.length)
  const specs = results.filter((_, i) => refs[i]?.kind === 'output').map((t) => t.spec)
  const op = callOf(fn.name, trace)
  const signature = signatureOfTrace(trace, inputs, specs)
  return (given) => {
    const passed = [...given, ...captured]
    const computed = specs.length > 0 ? applyTrace(op, passed, signature, trace) : []
    let next = 0
    return withTensors(result, refs.map((ref) => (ref.kind === 'input' ? at(passed, ref.index) : at(computed, next++))))
  }
}

/** What a call needs and computes; `refs` says for each result what it is. */
interface Recorded {
  readonly inputs: readonly Tensor[]
  readonly trace: Trace
  readonly refs: readonly TraceRef[]
}

/** Cuts what the results depend on loose from its tensors: arguments first, then whatever else was there before. */
function record(results: readonly Tensor[], stands: readonly Tensor[]): Recorded {
  const inputs = [...stands]
  const known = new Map(stands.map((t, index) => [t, index]))
  const found = new Set<Node>()
  const stack = [...results]
  for (let t = stack.pop(); t; t = stack.pop()) {
    const { source } = t
    if (source.kind === 'node') {
      if (found.has(source.node)) continue
      if (source.node.op.inplace) {
        throw new UnsupportedError(`compile: expected a function that changes no tensor, got one that calls ${source.node.op.name}; give its operands back and update outside`)
      }
      found.add(source.node)
      stack.push(...source.node.inputs)
    } else if (!known.has(t)) {
      if (source.kind === 'argument') {
        throw new UnsupportedError('compile: expected arguments to be used in the call they are passed to, got one of an earlier call or of another function; pass it as an argument')
      }
      known.set(t, inputs.push(t) - 1)
    }
  }
  const nodes: TracedNode[] = []
  const outputs = new Map<Node, readonly TraceRef[]>()
  const ref = (t: Tensor): TraceRef => (t.source.kind === 'node'
    ? at(entry(outputs, t.source.node), t.source.index)
    : { kind: 'input', index: entry(known, t) })
  for (const node of [...found].sort((a, b) => a.order - b.order)) outputs.set(node, append(nodes, node, node.inputs.map(ref)))
  const refs = results.map(ref)
  const coalescing = nodes.filter(({ node, inputs: operands }) => node.op.coalesces && operands.every((r) => r.kind === 'input'))
  return { inputs, trace: { nodes, outputs: refs.filter((r) => r.kind === 'output'), coalescing }, refs }
}

/** Adds a node, or what it stands for if it is a call, and says where its outputs are. */
function append(nodes: TracedNode[], node: Node, inputs: readonly TraceRef[]): TraceRef[] {
  if (!node.trace) {
    const place = nodes.push({ node, inputs }) - 1
    return node.specs.map((_, index) => ({ kind: 'output', node: place, index }))
  }
  const first = nodes.length
  const ref = (r: TraceRef): TraceRef => (r.kind === 'input' ? at(inputs, r.index) : { ...r, node: first + r.node })
  for (const inner of node.trace.nodes) nodes.push({ node: inner.node, inputs: inner.inputs.map(ref) })
  return node.trace.outputs.map(ref)
}

/** The op of a call: what it computes is its trace's. */
function callOf(name: string, { nodes, outputs }: Trace): Op {
  return {
    name: `compile(${name})`,
    infer: () => [],
    flops: () => nodes.reduce((sum, { node }) => sum + (node.op.flops?.(node.inputs, node.specs, node.attrs) ?? 0), 0),
    reference: (inputs) => {
      const values: (readonly RefTensor[])[] = []
      const valueOf = (r: TraceRef): RefTensor => (r.kind === 'input' ? at(inputs, r.index) : at(at(values, r.node), r.index))
      for (const { node, inputs: refs } of nodes) values.push(node.op.reference(refs.map(valueOf), node.attrs))
      return outputs.map(valueOf)
    },
    vjp: () => {
      throw new UnsupportedError('grad: a compiled function gives no gradients; take them in the function that is compiled')
    },
  }
}
