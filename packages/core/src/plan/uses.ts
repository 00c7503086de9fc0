import { byteSize, reshape, sizeOf } from '@antipode/kernels-wgsl'
import { bindingAlignment } from './leaves.ts'
import type { Graph, ValueRef } from './walk.ts'

/** Readers of every node output, views counted as their viewers' readers. */
export function countUses(graph: Graph): Map<string, { uses: number; wanted: boolean }> {
  const counts = new Map<string, { uses: number; wanted: boolean }>()
  const origin = new Map<string, ValueRef>()
  const base = (r: ValueRef): ValueRef => (r.kind === 'output' ? origin.get(`${r.node}.${r.index}`) ?? r : r)
  const count = (r: ValueRef): { uses: number; wanted: boolean } => {
    const b = base(r)
    const key = b.kind === 'output' ? `${b.node}.${b.index}` : ''
    const entry = counts.get(key) ?? { uses: 0, wanted: false }
    counts.set(key, entry)
    return entry
  }
  graph.nodes.forEach(({ node, inputs }, i) => {
    const [first] = inputs
    if (node.op.view && first) {
      origin.set(`${i}.0`, base(first))
      return
    }
    for (const r of inputs) count(r).uses++
  })
  for (const r of graph.outputs) count(r).wanted = true
  return counts
}

/** Where a value is to be computed: from an element on in the result of a later node, which puts it there as it is. */
export interface Place {
  readonly node: number
  readonly start: number
}

/** The place of every node output that has one. */
export function placesOf({ nodes }: Graph): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  const base = (ref: ValueRef | undefined): string | undefined => {
    if (ref?.kind !== 'output') return undefined
    const { node: { op }, inputs } = nodes[ref.node] as Graph['nodes'][number]
    if (op === reshape) return base(inputs[0])
    return op.view || op.starts || op.inplace ? undefined : `${ref.node}.${ref.index}`
  }
  nodes.forEach(({ node: { op, attrs, inputs: tensors, specs: [spec] }, inputs }, index) => {
    const starts = op.starts?.(tensors, attrs)
    if (!starts || !spec) return
    places.set(`${index}.0`, { node: index, start: 0 })
    inputs.forEach((ref, k) => {
      const key = base(ref)
      const start = starts[k] ?? 0
      const bindable = start * byteSize(spec.dtype) % bindingAlignment === 0 && sizeOf(tensors[k]?.shape ?? []) > 0
      if (key !== undefined && bindable && !places.has(key)) places.set(key, { node: index, start })
    })
  })
  return places
}

/** Leaves that some op overwrites, themselves or in what they are joined in. */
export function overwrittenLeaves({ nodes, leaves }: Graph): number[] {
  const behind = (ref: ValueRef | undefined): number[] => {
    if (ref?.kind === 'leaf') return [ref.index]
    if (ref?.kind !== 'output') return []
    const { node: { op }, inputs } = nodes[ref.node] as Graph['nodes'][number]
    return op.view ? behind(inputs[0]) : op.starts ? inputs.flatMap(behind) : []
  }
  const written = new Set(nodes.flatMap(({ node, inputs }) =>
    (node.op.inplace ?? []).flatMap((k) => (k === undefined ? [] : behind(inputs[k]).map((index) => leaves[index]?.storage)))))
  return leaves.flatMap((l, index) => (written.has(l.storage) ? index : []))
}
