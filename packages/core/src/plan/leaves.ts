import { bindingAlignment, byteSize, join, sizeOf } from '@antipode/kernels-wgsl'
import { type Node, type SharedSpec, sharedSpec, type Storage, type Tensor } from '../graph/index.ts'

/** A buffer that exists before a graph runs. */
export interface Leaf {
  readonly spec: SharedSpec
  /** Whose buffer it is, once what belongs together lies so. */
  readonly storage: Storage
  /** What has to lie in it before the graph runs, for then the graph overwrites all of it by one kernel, or reads it as one operand. */
  readonly together?: Together
}

/** Storages to be moved into one buffer, unless they lie there so already. */
export interface Together {
  readonly byteLength: number
  readonly parts: readonly { readonly storage: Storage; readonly offset: number; readonly byteLength: number }[]
}

/** A stored tensor as the planner sees it: a leaf, or part of one from element `start` on. */
export interface LeafRef {
  readonly kind: 'leaf'
  readonly index: number
  readonly part?: { readonly shape: readonly number[]; readonly start: number }
}

/** Says for stored tensors in which buffers the graph that reads them finds them. */
export class Leaves {
  readonly list: Leaf[] = []
  readonly #joined = new Map<Storage, { readonly leaf: Omit<Leaf, 'storage'>; readonly start: number }>()
  readonly #known = new Map<object, Map<SharedSpec, number>>()

  /** @param nodes all of the graph's, among them those that join stored tensors, to overwrite them or to read them as one */
  constructor(nodes: readonly Node[]) {
    const alone = new Set<Storage>()
    for (const { op, inputs } of nodes) {
      for (const k of op.inplace ?? []) {
        const t = k === undefined ? undefined : inputs[k]
        if (t?.source.kind === 'node') this.#join(t.source.node, t.source.node.inputs)
        if (t?.source.kind !== 'storage') continue
        alone.add(t.source.storage)
        // What is overwritten by itself must not be read as part of something larger.
        if (t.source.storage.whole) this.#together([t], [0], t.spec)
      }
    }
    const joinUnlessAlone = (node: Node, inputs: readonly Tensor[]): void => {
      if (!inputs.some(({ source }) => source.kind === 'storage' && alone.has(source.storage))) this.#join(node, inputs)
    }
    for (const node of nodes) {
      if (node.op === join) joinUnlessAlone(node, node.inputs)
      for (const { node: inner, inputs } of node.trace?.joins ?? []) {
        joinUnlessAlone(inner, inputs.map((r) => (r.kind === 'input' ? node.inputs[r.index] : undefined) as Tensor))
      }
    }
  }

  /** Where a tensor that owns its value lies. */
  of({ spec, shape, dtype }: Tensor, storage: Storage): LeafRef {
    const joined = this.#joined.get(storage)
    if (joined) return { kind: 'leaf', index: this.#leaf(joined.leaf, { ...joined.leaf, storage }), part: { shape, start: joined.start } }
    const { whole } = storage
    // An overwritten operand and its result share a storage, perhaps under two shapes.
    if (!whole) return { kind: 'leaf', index: this.#leaf(storage, { spec, storage }) }
    const flat = sharedSpec({ shape: [whole.byteLength / byteSize(dtype)], dtype })
    return { kind: 'leaf', index: this.#leaf(whole, { spec: flat, storage }), part: { shape, start: storage.offset / byteSize(dtype) } }
  }

  #leaf(owner: object, leaf: Leaf): number {
    const alike = this.#known.get(owner) ?? new Map<SharedSpec, number>()
    this.#known.set(owner, alike)
    const index = alike.get(leaf.spec) ?? this.list.push(leaf) - 1
    alike.set(leaf.spec, index)
    return index
  }

  #join({ op, attrs, specs: [spec] }: Node, inputs: readonly Tensor[]): void {
    const starts = op.starts?.(inputs, attrs)
    if (starts && spec) this.#together(inputs, starts, spec)
  }

  /** Notes that tensors belong together, from these elements of one on, if all are stored and none belongs elsewhere. */
  #together(tensors: readonly Tensor[], starts: readonly number[], spec: SharedSpec): void {
    const bytes = byteSize(spec.dtype)
    const parts = tensors.flatMap(({ source, size }, k) => {
      const start = starts[k] ?? 0
      const [offset, byteLength] = [start * bytes, size * bytes]
      // Copies move whole words.
      const movable = byteLength > 0 && byteLength % 4 === 0 && offset % bindingAlignment === 0
      return source.kind === 'storage' && movable && !this.#joined.has(source.storage) ? [{ storage: source.storage, start, offset, byteLength }] : []
    })
    if (new Set(parts.map((p) => p.storage)).size < tensors.length) return
    const leaf = { spec, together: { byteLength: sizeOf(spec.shape) * bytes, parts } }
    for (const { storage, start } of parts) this.#joined.set(storage, { leaf, start })
  }
}
