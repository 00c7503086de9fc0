import { at, entry } from '@antipode/kernels-wgsl'
import type { TraceRef } from '../graph/index.ts'
import type { GraphStructure, ValueRef } from './graph.ts'

type Nodes = Pick<GraphStructure, 'nodes' | 'outputs'>

/** A graph's nodes with those of compiled functions in place of their calls, as far as the outputs depend on them. */
export function inlined({ nodes, outputs }: Nodes): Nodes {
  if (!nodes.some(({ node }) => node.trace)) return { nodes, outputs }
  const flat: Nodes['nodes'][number][] = []
  /** What the outputs of each node given have become. */
  const became: (readonly ValueRef[])[] = []
  const now = (r: ValueRef): ValueRef => (r.kind === 'output' ? at(at(became, r.node), r.index) : r)
  for (const { node, inputs } of nodes) {
    const given = inputs.map(now)
    const first = flat.length
    const inside = (r: TraceRef): ValueRef => (r.kind === 'input' ? at(given, r.index) : { ...r, node: first + r.node })
    if (node.trace) {
      for (const one of node.trace.nodes) flat.push({ node: one.node, inputs: one.inputs.map(inside) })
      became.push(node.trace.outputs.map(inside))
    } else {
      flat.push({ node, inputs: given })
      became.push(node.specs.map((_, index) => ({ kind: 'output', node: first, index })))
    }
  }
  return reached({ nodes: flat, outputs: outputs.map(now) })
}

/** Without nodes that no output depends on: who calls a function need not want all it gives. */
function reached({ nodes, outputs }: Nodes): Nodes {
  const wanted = new Set(outputs.flatMap((r) => (r.kind === 'output' ? [r.node] : [])))
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (wanted.has(i)) for (const r of at(nodes, i).inputs) if (r.kind === 'output') wanted.add(r.node)
  }
  const places = new Map<number, number>()
  const kept = nodes.filter((_, i) => {
    const keep = wanted.has(i)
    if (keep) places.set(i, places.size)
    return keep
  })
  const now = (r: ValueRef): ValueRef => (r.kind === 'output' ? { ...r, node: entry(places, r.node) } : r)
  return { nodes: kept.map(({ node, inputs }) => ({ node, inputs: inputs.map(now) })), outputs: outputs.map(now) }
}
