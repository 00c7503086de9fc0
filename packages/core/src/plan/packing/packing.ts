import type { Kernel, Op, PackedLayout, Problem, Target } from '@antipode/kernels-wgsl'
import type { Reader, Value } from '../resolved.ts'

/** How an operand lies in a texture. */
export type TextureLayout = PackedLayout

/** Which of several operands that read a value take it packed: all of them, or the first alone. */
export type PackedReaders = 'all' | 'first'

/**
 * What fusion asks about operands in textures, which software adapters read faster than buffers: a kernel may write what it computes as
 * the kernel that reads it would pack it, so that it is never stored in a buffer.
 */
export class Packing {
  readonly #target: Target

  constructor(target: Target) {
    this.#target = target
  }

  /** The input that an op's kernels may take packed. */
  packedOperand(op: Op): number | undefined {
    return op.takesPacked
  }

  /** Whether an op may pack its first output. */
  packs(op: Op): boolean {
    return op.packed !== undefined
  }

  kernels(op: Op, problem: Problem): readonly Kernel[] {
    return op.kernels?.(problem, this.#target) ?? []
  }

  /** Kernels that pack the first output, and store it in no buffer; undefined where they cannot. */
  packedKernels(op: Op, problem: Problem, layout: TextureLayout): readonly Kernel[] | undefined {
    return op.packed?.(problem, layout, this.#target)
  }

  /** How kernels would pack the input that they may take packed. */
  inputLayout(kernels: readonly Kernel[]): TextureLayout | undefined {
    return kernels.find((k) => k.layout)?.layout
  }

  /** The op that computes the first output again, given the others, once it was packed for one of several operands. */
  rematerialised(op: Op): Op | undefined {
    return op.again
  }

  /**
   * Which of several operands that read the first output of an op take it packed: `all`, one of them as images and the others four
   * images a texel, so that it need never be stored; or the `first`, it alone as images. What images are packed for can tell its
   * statistics, by which the value is computed again for those that follow. A forward pass so computes the same whether a backward pass
   * follows it or not.
   */
  readersOf(op: Op, { uses, wanted, readers }: Value): PackedReaders | undefined {
    const [first] = readers
    if (!op.again || wanted || uses < 2 || !first || this.#target.textureRows === 0) return undefined
    const kinds = readers.map((r) => this.#layoutFor(r)?.kind)
    const images = kinds.filter((kind) => kind === 'images').length
    if (images === 1 && readers.length === uses && !kinds.includes(undefined)) return 'all'
    return images === 1 && kinds[0] === 'images' && first.before === 0 ? 'first' : undefined
  }

  #layoutFor({ op, attrs, inputs, outputs, operand }: Reader): TextureLayout | undefined {
    return op.takesPacked === operand ? this.inputLayout(this.kernels(op, { inputs, outputs, attrs })) : undefined
  }
}
