import { sameShape, type View } from '@antipode/kernels-wgsl'
import type { Seen, Value } from './value.ts'

/** How many are kept: few, since they take memory. */
const kept = 4

/** Copies made lately: the projections of an attention all read the same turned tokens. */
export class Copies {
  readonly #list: { readonly seen: Seen; readonly copy: Value }[] = []

  /** The copy of what is seen, by `make` if it is not there yet. */
  of(seen: Seen, make: (seen: Seen) => Value): Value {
    const known = this.#list.find((c) => c.seen.value === seen.value && sameView(c.seen.view, seen.view))
    if (known) return known.copy
    const copy = make(seen)
    this.#list.push({ seen, copy })
    if (this.#list.length > kept) this.#list.shift()
    return copy
  }

  /** Forgets all: what they were copied from may change. */
  clear(): void {
    this.#list.splice(0)
  }
}

function sameView(a: View, b: View): boolean {
  return a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides)
}
