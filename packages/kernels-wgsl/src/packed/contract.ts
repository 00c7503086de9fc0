import type { Attrs, Kernel, Op, Problem, Target } from '../op.ts'

/** How an operand lies in a texture, so that another op can write it there. */
export type PackedLayout = Channels4Layout | Batch4Layout

/** Images `[N,C,…]`, four channels a texel; see `packChannels4`. */
export interface Channels4Layout {
  readonly kind: 'channels4'
  /** The texture's number among those of the op's kernels. */
  readonly texture: number
  /** Groups of channels, and channels of a group. */
  readonly groups: number
  readonly channels: number
  readonly images: number
  /** Pixels of a channel. */
  readonly pixels: number
}

/** Images `[N,C,…]`, four images a texel; see `packBatch4`. */
export interface Batch4Layout {
  readonly kind: 'batch4'
  /** The texture's number among those of the op's kernels. */
  readonly texture: number
  /** A multiple of four. */
  readonly images: number
  readonly channels: number
  /** Pixels of a channel. */
  readonly pixels: number
}

/** A kernel of a packed form. */
export interface PackedKernel extends Kernel {
  /**
   * Of a kernel that does nothing but pack an operand in a layout that other ops can write: then whatever computes it
   * may do that.
   */
  readonly layout?: PackedLayout
}

/** What packing adds to an op. */
export interface PackedForms<A extends Attrs = Attrs> {
  /** Kernels in place of the op's own; undefined where these are as good. */
  kernels?(problem: Problem<A>, target: Target): readonly PackedKernel[] | undefined
  /** The input that one of {@link PackedForms.kernels} packs by a layout. */
  readonly packedInput?: number
  /** Kernels that write output 0 in a layout, and into no buffer; undefined where there are none. */
  write?(problem: Problem<A>, layout: PackedLayout, target: Target): readonly Kernel[] | undefined
  /**
   * The op that computes output 0 once the others are known, with the same attributes, from the inputs and then the
   * other outputs: for the readers of a value that was written packed for one of them.
   */
  readonly rematerialise?: Op<A>
}
