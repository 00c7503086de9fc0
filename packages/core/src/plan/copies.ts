import { sameShape } from '@antipode/kernels-wgsl'
import type { Operand, ValueId } from './resolved.ts'

/** How many are remembered: few, since they take memory. */
const remembered = 4

/** Contiguous copies made lately: the projections of an attention all read the same transposed tokens. */
export class Copies {
  readonly #list: { readonly input: Operand; readonly copy: ValueId }[] = []

  /** The copy of what an operand sees. */
  of({ value, view }: Operand): ValueId | undefined {
    return this.#list.find(({ input }) => input.value === value && input.view.offset === view.offset
      && sameShape(input.view.shape, view.shape) && sameShape(input.view.strides, view.strides))?.copy
  }

  add(input: Operand, copy: ValueId): void {
    this.#list.push({ input, copy })
    if (this.#list.length > remembered) this.#list.shift()
  }

  /** Forgets all: what they were copied from may change. */
  clear(): void {
    this.#list.length = 0
  }
}
