import type { Kernel } from '@antipode/kernels-wgsl'

/**
 * A buffer of a plan: something that exists before it runs, or that it makes, or `bytes` of another from `offset` on.
 */
export type PlanBuffer =
  | { readonly kind: 'leaf'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'constant'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'made'; readonly bytes: number }
  /** With `keep` it holds a leaf, packed, which need not be done again while the leaf of that number is what it was. */
  | { readonly kind: 'texture'; readonly rows: number; readonly bytes: number; readonly keep?: number }
  | { readonly kind: 'part'; readonly of: number; readonly offset: number; readonly bytes: number }

/** One dispatch, its storage buffers by number in binding order, and which graph scalars fill its scalar words. */
export interface Dispatch {
  readonly kernel: Kernel
  readonly buffers: readonly number[]
  readonly scalars: readonly number[]
  /** Floating-point operations of its product, convolution or attention; 0 for other kernels. See `kernelFlops`. */
  readonly flops: number
  /** Bytes of the buffers and textures it binds, each counted once and whole, its parameters aside. */
  readonly bytes: number
  /** Whether it overwrites a leaf. */
  readonly overwrites: boolean
  /** The texture that it packs a leaf into, where that may be kept from run to run. */
  readonly packs?: number
}

/** The work of a graph before memory is assigned. */
export interface Program {
  readonly buffers: readonly PlanBuffer[]
  readonly dispatches: readonly Dispatch[]
  /** Buffer of each output of the graph, in order. */
  readonly outputs: readonly number[]
  /** The leaves that are overwritten, by number. */
  readonly overwritten: readonly number[]
}
