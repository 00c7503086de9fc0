import type { Attrs, Kernel, Op, Problem } from './op.ts'

/**
 * Floating-point operations of each kernel that an op was lowered to: the op's own count ({@link Op.flops}), parted among
 * them by {@link Kernel.share}. What a variant spends beyond that (tails of blocks, packing) is not
 * counted, so that rates of variants compare.
 */
export function kernelFlops<A extends Attrs>(op: Op<A>, { inputs, outputs, attrs }: Problem<A>, kernels: readonly Kernel[]): number[] {
  const total = op.flops?.(inputs, outputs, attrs) ?? 0
  const shares = kernels.map((k) => k.share ?? (k.bindings.some((b) => b.kind === 'output') ? 1 : 0))
  const sum = shares.reduce((a, b) => a + b, 0)
  return shares.map((share) => (share === 0 ? 0 : total * share / sum))
}
