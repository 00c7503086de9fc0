import { at, bindingAlignment, byteSize, sizeOf } from '@antipode/kernels-wgsl'
import { type Node, type SharedSpec, sharedSpec, type Storage, type Tensor } from '../graph/index.ts'
import type { Coalesced, Leaf, LeafRef } from './graph.ts'

/** What is known of a leaf before the tensors that lie in it are met. */
interface CoalescedLeaf {
  readonly spec: SharedSpec
  readonly coalesced: Coalesced
}

/** Says for stored tensors in which buffers the graph that reads them finds them. */
export class Leaves {
  readonly list: Leaf[] = []
  readonly #coalesced = new Map<Storage, { readonly leaf: CoalescedLeaf; readonly start: number }>()
  readonly #known = new Map<object, Map<SharedSpec, number>>()
  readonly #owners = new Map<object, number>()

  /**
   * @param nodes all of the graph's, among them those that lay out stored tensors, to overwrite or to read them as one
   */
  constructor(nodes: readonly Node[]) {
    const alone = new Set<Storage>()
    for (const { op, inputs } of nodes) {
      for (const k of op.inplace ?? []) {
        const t = k === undefined ? undefined : inputs[k]
        if (t?.source.kind === 'node') this.#coalesceInputs(t.source.node, t.source.node.inputs)
        if (t?.source.kind !== 'storage') continue
        alone.add(t.source.storage)
        // What is overwritten by itself must not be read as part of something larger.
        if (t.source.storage.whole) this.#coalesce([t], [0], t.spec)
      }
    }
    const coalesceUnlessAlone = (node: Node, inputs: readonly Tensor[]): void => {
      const apart = inputs.some(({ source }) => source.kind === 'storage' && alone.has(source.storage))
      if (!apart) this.#coalesceInputs(node, inputs)
    }
    for (const node of nodes) {
      if (node.op.coalesces) coalesceUnlessAlone(node, node.inputs)
      for (const { node: inner, inputs } of node.trace?.coalescing ?? []) {
        coalesceUnlessAlone(inner, inputs.flatMap((r) => (r.kind === 'input' ? [at(node.inputs, r.index)] : [])))
      }
    }
  }

  /** Where a tensor that owns its value lies. */
  of({ spec, shape, dtype }: Tensor, storage: Storage): LeafRef {
    const known = this.#coalesced.get(storage)
    if (known) {
      const index = this.#leaf(known.leaf, { ...known.leaf, storage, shared: true })
      return { kind: 'leaf', index, part: { shape, start: known.start } }
    }
    const { whole } = storage
    // An overwritten operand and its result share a storage, perhaps under two shapes.
    if (!whole) return { kind: 'leaf', index: this.#leaf(storage, { spec, storage, shared: false }) }
    const flat = sharedSpec({ shape: [whole.byteLength / byteSize(dtype)], dtype })
    const index = this.#leaf(whole, { spec: flat, storage, shared: true })
    return { kind: 'leaf', index, part: { shape, start: storage.offset / byteSize(dtype) } }
  }

  #leaf(owner: object, leaf: Omit<Leaf, 'owner'>): number {
    const number = this.#owners.get(owner) ?? this.#owners.size
    this.#owners.set(owner, number)
    const alike = this.#known.get(owner) ?? new Map<SharedSpec, number>()
    this.#known.set(owner, alike)
    const index = alike.get(leaf.spec) ?? this.list.push({ ...leaf, owner: number }) - 1
    alike.set(leaf.spec, index)
    return index
  }

  #coalesceInputs({ op, attrs, specs: [spec] }: Node, inputs: readonly Tensor[]): void {
    const starts = op.offsetsInOutput?.(inputs, attrs)
    if (starts && spec) this.#coalesce(inputs, starts, spec)
  }

  /**
   * Notes that tensors are to lie in one buffer, from these elements on, if all are stored and none belongs elsewhere.
   */
  #coalesce(tensors: readonly Tensor[], starts: readonly number[], spec: SharedSpec): void {
    const bytes = byteSize(spec.dtype)
    const parts = tensors.flatMap(({ source, size }, k) => {
      const start = at(starts, k)
      const [offset, byteLength] = [start * bytes, size * bytes]
      // Copies move whole words.
      const movable = byteLength > 0 && byteLength % 4 === 0 && offset % bindingAlignment === 0
      if (source.kind !== 'storage' || !movable || this.#coalesced.has(source.storage)) return []
      return [{ storage: source.storage, start, offset, byteLength }]
    })
    if (new Set(parts.map((p) => p.storage)).size < tensors.length) return
    const leaf = { spec, coalesced: { byteLength: sizeOf(spec.shape) * bytes, parts } }
    for (const { storage, start } of parts) this.#coalesced.set(storage, { leaf, start })
  }
}
