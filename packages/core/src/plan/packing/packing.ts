import {
  type Kernel, lower, type Op, packedForms, type PackedKernel, type PackedLayout, type Problem, type Target,
} from '@antipode/kernels-wgsl'
import type { Reader, Value } from '../resolved.ts'

/** Which of several operands that read a value take it packed: all of them, or the first alone. */
export type PackedReaders = 'all' | 'first'

/**
 * What fusion asks about operands in textures, which software adapters read faster than buffers: a kernel may write
 * what it computes as the kernel that reads it would pack it, so that it is never stored in a buffer.
 */
export class Packing {
  readonly #target: Target

  constructor(target: Target) {
    this.#target = target
  }

  /** The input that an op's kernels may take packed. */
  packedOperand(op: Op): number | undefined {
    return packedForms(op)?.packedInput
  }

  /** Whether an op may pack its first output. */
  packs(op: Op): boolean {
    return packedForms(op)?.write !== undefined
  }

  kernels(op: Op, problem: Problem): readonly PackedKernel[] {
    return lower(op, problem, this.#target)
  }

  /** Kernels that pack the first output, and store it in no buffer; undefined where they cannot. */
  packedKernels(op: Op, problem: Problem, layout: PackedLayout): readonly Kernel[] | undefined {
    return packedForms(op)?.write?.(problem, layout, this.#target)
  }

  /** How kernels would pack the input that they may take packed. */
  inputLayout(kernels: readonly PackedKernel[]): PackedLayout | undefined {
    return kernels.find((k) => k.layout)?.layout
  }

  /** The op that computes the first output again, given the others, once it was packed for one of several operands. */
  rematerialised(op: Op): Op | undefined {
    return packedForms(op)?.rematerialise
  }

  /**
   * Which of several operands that read the first output of an op take it packed: `all`, one of them four channels a
   * texel and the others four images a texel, so that it need never be stored; or the `first` alone, four channels a
   * texel. An op that packs channels knows the statistics by which the value is computed again for those that follow. A
   * forward pass so computes the same whether a backward pass follows it or not.
   */
  readersOf(op: Op, { uses, wanted, readers }: Value): PackedReaders | undefined {
    const [first] = readers
    if (!this.rematerialised(op) || wanted || uses < 2 || !first || this.#target.textureRows === 0) return undefined
    const kinds = readers.map((r) => this.#layoutFor(r)?.kind)
    const channels = kinds.filter((kind) => kind === 'channels4').length
    if (channels === 1 && readers.length === uses && !kinds.includes(undefined)) return 'all'
    return channels === 1 && kinds[0] === 'channels4' && first.before === 0 ? 'first' : undefined
  }

  #layoutFor({ op, attrs, inputs, outputs, operand }: Reader): PackedLayout | undefined {
    if (this.packedOperand(op) !== operand) return undefined
    return this.inputLayout(this.kernels(op, { inputs, outputs, attrs }))
  }
}

/** Kernels but for the one that packs an operand into a texture, as that comes packed. */
export function withoutPacking(kernels: readonly PackedKernel[], texture: number): readonly Kernel[] {
  return kernels.filter((k) => k.layout?.texture !== texture)
}
