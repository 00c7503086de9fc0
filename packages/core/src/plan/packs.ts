import type { Binding, Kernel } from '@antipode/kernels-wgsl'

/** Packed operands that later kernels may share: few, since what is shared takes memory. */
const shared = 8
/** Bytes of packed leaves that a plan keeps from run to run, where a model of more than some megabytes would take them twice. */
const keptBytes = 2 ** 25

/** Textures packed lately, by what they hold: the projections of an attention all pack the same tokens. */
export class Packs {
  readonly #ids = new Map<string, number>()
  readonly #kept = new Map<string, number>()
  #bytes = 0

  /**
   * The texture, by its number among the kernel's textures, that a kernel packs an operand into and does nothing else, and what
   * it will hold, given the buffers of the op's inputs; undefined of other kernels.
   */
  static of(kernel: Kernel, inputs: readonly number[]): { readonly index: number; readonly key: string } | undefined {
    // What a texture holds is not known by its number.
    if (kernel.bindings.some((b) => b.kind === 'output' || b.kind === 'scratch' || (b.kind === 'texture' && b.access === 'read'))) return undefined
    const packed = kernel.bindings.find((b): b is Extract<Binding, { readonly kind: 'texture' }> => b.kind === 'texture' && b.access === 'write')
    const read = kernel.bindings.map((b) => (b.kind === 'input' ? inputs[b.index] : b.kind))
    return packed && { index: packed.index, key: `${kernel.wgsl}/${kernel.params.join()}/${read.join()}` }
  }

  get(key: string): number | undefined {
    return this.#kept.get(key) ?? this.#ids.get(key)
  }

  /** Whether a pack of that many bytes may be kept from run to run; if so, it is shared throughout the plan. */
  keep(key: string, id: number, bytes: number): boolean {
    if (this.#bytes + bytes > keptBytes) return false
    this.#bytes += bytes
    this.#kept.set(key, id)
    return true
  }

  set(key: string, id: number): void {
    this.#ids.set(key, id)
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > shared && oldest !== undefined) this.#ids.delete(oldest)
  }

  /** Forgets what is not kept, once an operand may have been overwritten. */
  clear(): void {
    this.#ids.clear()
  }
}
