import { at, type Binding, byteSize, type Spec } from '@antipode/kernels-wgsl'
import type { PlanBuffer } from './program.ts'
import type { Place } from './resolved.ts'
import { bytesOf, textureBytes } from './sizes.ts'

/** The buffers of a plan as it grows, by number. */
export class Buffers {
  readonly list: PlanBuffer[] = []
  readonly #external = new Map<string, number>()
  readonly #parts = new Map<string, number>()
  /** Results of joins by their node: buffers in which other values have their places. */
  readonly #wholes = new Map<number, number>()

  at(id: number): PlanBuffer {
    return at(this.list, id)
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
      const whole = this.#wholes.get(place.node) ?? this.#add({ kind: 'made', bytes: bytesOf(place.spec) })
      this.#wholes.set(place.node, whole)
      const offset = place.start * byteSize(spec.dtype)
      if (!reads.some((id) => this.wholeOf(id) === whole)) return this.part(whole, offset, bytesOf(spec))
    }
    return this.#add({ kind: 'made', bytes: bytesOf(spec) })
  }

  /** What lives for one op, or as long as a later one packs the same. */
  scratch(b: Extract<Binding, { readonly kind: 'scratch' | 'texture' }>): number {
    if (b.kind === 'scratch') return this.#add({ kind: 'made', bytes: b.byteLength })
    return this.#add({ kind: 'texture', rows: b.rows, bytes: textureBytes(b.rows) })
  }

  /** So many bytes of a buffer, from an offset on at which kernels can bind it. */
  part(of: number, offset: number, bytes: number): number {
    const buffer = this.at(of)
    if (buffer.kind === 'part') return this.part(buffer.of, buffer.offset + offset, bytes)
    if (offset === 0 && bytes === buffer.bytes) return of
    const key = `${of}+${offset}:${bytes}`
    const id = this.#parts.get(key) ?? this.#add({ kind: 'part', of, offset, bytes })
    this.#parts.set(key, id)
    return id
  }

  /** The buffer that another is part of, or itself. */
  wholeOf(id: number): number {
    const buffer = this.at(id)
    return buffer.kind === 'part' ? buffer.of : id
  }

  /** Bytes of these, each counted once. */
  bytes(ids: readonly number[]): number {
    return [...new Set(ids)].reduce((sum, id) => sum + this.at(id).bytes, 0)
  }

  #add(buffer: PlanBuffer): number {
    return this.list.push(buffer) - 1
  }
}
