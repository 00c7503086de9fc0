import { type Target, textureWidth } from '../op.ts'

/** The work of a product, padding aside. */
export interface Work {
  readonly rows: number
  readonly cols: number
  readonly depth: number
  readonly batch: number
  /** Elements that packing would read, of both operands. */
  readonly packed: number
}

/** Rows as which a product of fewer counts when operands are read from buffers: what it reads is most of its cost (see `subgroupGemm`). */
const fewestRows = 12

/** What the costs of a product are in proportion to: its multiply-adds, those with tails of blocks, and elements packed. */
export interface PackingTerms {
  readonly macs: number
  readonly padded: number
  readonly packed: number
}

/** The terms by which a product's cost is estimated on this adapter. */
export function packingTerms({ rows, cols, depth, batch, packed }: Work, { subgroupSize }: Target): PackingTerms {
  const macs = batch * depth * Math.max(rows, fewestRows) * cols
  const padded = batch * depth * Math.ceil(rows / subgroupSize) * subgroupSize * Math.ceil(cols / 8) * 8
  return { macs, padded, packed }
}

/**
 * Whether packing operands into textures pays by the row in use, on an adapter where it can be done at all: the sum must be
 * long, or the result large, against what is packed.
 */
export function packingPays(work: Work, target: Target): boolean {
  const costs = target.variants.packing
  if (costs === null || target.textureRows === 0 || target.subgroupSize < 4) return false
  const { macs, padded, packed } = packingTerms(work, target)
  return costs.buffer * macs > costs.texture * padded + costs.element * packed + costs.dispatches
}

/** Whether textures of so many texels can be made. */
export function texelsFit(target: Target, ...texels: readonly number[]): boolean {
  return texels.every((n) => Math.ceil(n / textureWidth) <= target.textureRows)
}
