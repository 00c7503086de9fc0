import { at, bindingAlignment, byteSize, sizeOf } from '@antipode/kernels-wgsl'
import type { GraphStructure, ValueRef } from './graph.ts'
import type { Place, Reader } from './resolved.ts'

/** Who reads a node's output. */
export interface Uses {
  /** Operands that read it, views counted as their viewers' operands. */
  uses: number
  wanted: boolean
  /** Those of them that are the output itself. */
  readonly readers: Reader[]
  place: Place | undefined
}

/** The readers of every node output, and where it is to be computed: by node, then by output. */
export function usesOf(graph: GraphStructure): readonly (readonly Uses[])[] {
  const unread = (): Uses => ({ uses: 0, wanted: false, readers: [], place: undefined })
  const uses = graph.nodes.map(({ node }) => node.specs.map(unread))
  countReaders(graph, uses)
  findPlaces(graph, uses)
  return uses
}

function countReaders({ nodes, outputs }: GraphStructure, uses: readonly (readonly Uses[])[]): void {
  /** What the first output of each view node sees. */
  const viewed: (ValueRef | undefined)[] = []
  const base = (r: ValueRef): ValueRef => (r.kind === 'output' && r.index === 0 ? viewed[r.node] ?? r : r)
  const usesAt = (r: ValueRef): Uses | undefined => (r.kind === 'output' ? at(at(uses, r.node), r.index) : undefined)
  nodes.forEach(({ node: { op, attrs, inputs: specs, specs: results }, inputs }, i) => {
    const [first] = inputs
    if (op.view && first) {
      viewed[i] = base(first)
      return
    }
    for (const [operand, r] of inputs.entries()) {
      const read = usesAt(base(r))
      if (!read) continue
      if (base(r) === r) read.readers.push({ op, attrs, inputs: specs, outputs: results, operand, before: read.uses })
      read.uses++
    }
  })
  for (const r of outputs) {
    const read = usesAt(base(r))
    if (read) read.wanted = true
  }
}

/** An op that lays its inputs out in its output has them computed there, each by the first such op. */
function findPlaces({ nodes }: GraphStructure, uses: readonly (readonly Uses[])[]): void {
  const base = (ref: ValueRef): Uses | undefined => {
    if (ref.kind !== 'output') return undefined
    const { node: { op }, inputs: [first] } = at(nodes, ref.node)
    if (op.keepsOrder) return first && base(first)
    return op.view || op.offsetsInOutput || op.inplace ? undefined : at(at(uses, ref.node), ref.index)
  }
  nodes.forEach(({ node: { op, attrs, inputs: specs, specs: [spec] }, inputs }, node) => {
    const starts = op.offsetsInOutput?.(specs, attrs)
    if (!starts || !spec) return
    at(at(uses, node), 0).place = { node, spec, start: 0 }
    inputs.forEach((ref, k) => {
      const operand = base(ref)
      const start = at(starts, k)
      const bindable = start * byteSize(spec.dtype) % bindingAlignment === 0 && sizeOf(at(specs, k).shape) > 0
      if (operand && bindable) operand.place ??= { node, spec, start }
    })
  })
}
