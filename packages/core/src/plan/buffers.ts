import { type Binding, byteSize, sizeOf, type Spec } from '@antipode/kernels-wgsl'
import { textureBytes } from './memory.ts'
import type { Place } from './uses.ts'
import type { Graph } from './walk.ts'

/** A buffer of a plan: something that exists before it runs, or that it makes, or `bytes` of another from `offset` on. */
export type PlanBuffer =
  | { readonly kind: 'leaf'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'constant'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'made'; readonly bytes: number }
  /** With `keep` it holds a leaf, packed, which need not be done again while the leaf of that number is what it was. */
  | { readonly kind: 'texture'; readonly rows: number; readonly bytes: number; readonly keep?: number }
  | { readonly kind: 'part'; readonly of: number; readonly offset: number; readonly bytes: number }

/** The buffers of a plan as it grows, by number. */
export class Buffers {
  readonly list: PlanBuffer[] = []
  readonly #graph: Graph
  readonly #external = new Map<string, number>()
  readonly #parts = new Map<string, number>()
  /** Results of joins by their node: buffers in which other values have their places. */
  readonly #wholes = new Map<number, number>()

  constructor(graph: Graph) {
    this.#graph = graph
  }

  at(id: number): PlanBuffer | undefined {
    return this.list[id]
  }

  /** What exists before the plan runs. */
  external(kind: 'leaf' | 'constant', index: number, bytes: number): number {
    const key = `${kind}${index}`
    const id = this.#external.get(key) ?? this.#add({ kind, index, bytes })
    this.#external.set(key, id)
    return id
  }

  /** A buffer for what a kernel computes: its place if it has one, unless the kernel reads what lies beside. */
  make(spec: Spec, place: Place | undefined, reads: readonly number[]): number {
    if (place) {
      const made = this.#graph.nodes[place.node]?.node.specs[0] as Spec
      const whole = this.#wholes.get(place.node) ?? this.#add({ kind: 'made', bytes: bytesOf(made) })
      this.#wholes.set(place.node, whole)
      if (!reads.some((id) => this.wholeOf(id) === whole)) return this.part(whole, place.start * byteSize(spec.dtype), bytesOf(spec))
    }
    return this.#add({ kind: 'made', bytes: bytesOf(spec) })
  }

  /** What lives for one op, or as long as a later one packs the same. */
  scratch(b: Extract<Binding, { readonly kind: 'scratch' | 'texture' }>): number {
    return this.#add(b.kind === 'scratch' ? { kind: 'made', bytes: b.byteLength } : { kind: 'texture', rows: b.rows, bytes: textureBytes(b.rows) })
  }

  /** Marks a texture as kept from run to run: it is packed from this leaf, and from nothing else. */
  keep(id: number, leaf: number): void {
    const texture = this.list[id]
    if (texture?.kind === 'texture') this.list[id] = { ...texture, keep: leaf }
  }

  /** So many bytes of a buffer, from an offset on at which kernels can bind it. */
  part(of: number, offset: number, bytes: number): number {
    const buffer = this.list[of]
    if (buffer?.kind === 'part') return this.part(buffer.of, buffer.offset + offset, bytes)
    if (offset === 0 && bytes === buffer?.bytes) return of
    const key = `${of}+${offset}:${bytes}`
    const id = this.#parts.get(key) ?? this.#add({ kind: 'part', of, offset, bytes })
    this.#parts.set(key, id)
    return id
  }

  /** The buffer that another is part of, or itself. */
  wholeOf(id: number): number {
    const buffer = this.list[id]
    return buffer?.kind === 'part' ? buffer.of : id
  }

  /** Bytes of these, each counted once. */
  bytes(ids: readonly number[]): number {
    return [...new Set(ids)].reduce((sum, id) => sum + (this.list[id]?.bytes ?? 0), 0)
  }

  #add(buffer: PlanBuffer): number {
    return this.list.push(buffer) - 1
  }
}

/** Bytes of a value. */
export function bytesOf(spec: Spec): number {
  return sizeOf(spec.shape) * byteSize(spec.dtype)
}
