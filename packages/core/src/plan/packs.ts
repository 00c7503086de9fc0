import type { Binding, Kernel } from '@antipode/kernels-wgsl'

/** Packed operands that later kernels may share: few, since what is kept takes memory. */
const kept = 8

/** Textures packed lately, by what they hold: the projections of an attention all pack the same tokens. */
export class Packs {
  readonly #ids = new Map<string, number>()

  /**
   * The texture, by its number among the kernel's textures, that a kernel packs an operand into and does nothing else, and what
   * it will hold, given the buffers of the op's inputs; undefined of other kernels.
   */
  static of(kernel: Kernel, inputs: readonly number[]): { readonly index: number; readonly key: string } | undefined {
    if (kernel.bindings.some((b) => b.kind === 'output' || b.kind === 'scratch')) return undefined
    const packed = kernel.bindings.find((b): b is Extract<Binding, { readonly kind: 'texture' }> => b.kind === 'texture' && b.access === 'write')
    const read = kernel.bindings.map((b) => (b.kind === 'input' ? inputs[b.index] : b.kind))
    return packed && { index: packed.index, key: `${kernel.wgsl}/${kernel.params.join()}/${read.join()}` }
  }

  get(key: string): number | undefined {
    return this.#ids.get(key)
  }

  set(key: string, id: number): void {
    this.#ids.set(key, id)
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > kept && oldest !== undefined) this.#ids.delete(oldest)
  }

  /** Forgets all, once an operand may have been overwritten. */
  clear(): void {
    this.#ids.clear()
  }
}
