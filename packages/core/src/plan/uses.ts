import { bindingAlignment, byteSize, lower, packedForms, type PackedKernel, type PackedLayout, reshape, sizeOf, type Target } from '@antipode/kernels-wgsl'
import type { Node } from '../graph/index.ts'
import type { Graph, ValueRef } from './walk.ts'

/** Who reads a node's output. */
export interface Uses {
  /** Operands that read it, views counted as their viewers' operands. */
  uses: number
  wanted: boolean
  /** Those of them that are the output itself: a node, the number of its operand, and how many had read the output before. */
  readonly operands: { readonly node: Node; readonly operand: number; readonly before: number }[]
}

/** The readers of every node output. */
export function countUses(graph: Graph): ReadonlyMap<string, Uses> {
  const counts = new Map<string, Uses>()
  const origin = new Map<string, ValueRef>()
  const base = (r: ValueRef): ValueRef => (r.kind === 'output' ? origin.get(`${r.node}.${r.index}`) ?? r : r)
  const count = (r: ValueRef): Uses => {
    const b = base(r)
    const key = b.kind === 'output' ? `${b.node}.${b.index}` : ''
    const entry = counts.get(key) ?? { uses: 0, wanted: false, operands: [] }
    counts.set(key, entry)
    return entry
  }
  graph.nodes.forEach(({ node, inputs }, i) => {
    const [first] = inputs
    if (node.op.view && first) {
      origin.set(`${i}.0`, base(first))
      return
    }
    for (const [operand, r] of inputs.entries()) {
      const read = count(r)
      if (base(r) === r) read.operands.push({ node, operand, before: read.uses })
      read.uses++
    }
  })
  for (const r of graph.outputs) count(r).wanted = true
  return counts
}

/**
 * Which of several operands that read a value take it packed: `all`, one of them as images and the others four images a texel, so
 * that it need never be stored; or the `first`, it alone as images. What images are packed for can tell its statistics, by which the value is
 * computed again for those that follow. A forward pass so computes the same whether a backward pass follows it or not.
 */
export function packedReaders({ uses, wanted, operands }: Uses, target: Target): 'all' | 'first' | undefined {
  const [first] = operands
  if (wanted || uses < 2 || !first || target.textureRows === 0) return undefined
  const kinds = operands.map((o) => layoutOf(o.node, o.operand, target)?.kind)
  const images = kinds.filter((kind) => kind === 'channels4').length
  if (images === 1 && operands.length === uses && !kinds.includes(undefined)) return 'all'
  return images === 1 && kinds[0] === 'channels4' && first.before === 0 ? 'first' : undefined
}

/** How a node would pack an operand that it may take packed. */
function layoutOf({ op, inputs, specs, attrs }: Node, operand: number, target: Target): PackedLayout | undefined {
  if (packedForms(op)?.packedInput !== operand) return undefined
  const kernels: readonly PackedKernel[] = lower(op, { inputs, outputs: specs, attrs }, target)
  return kernels.find((k) => k.layout)?.layout
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
