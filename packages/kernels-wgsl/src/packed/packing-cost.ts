import { type Target, textureWidth } from '../op.ts'
import type { PackingCosts } from '../tuning.ts'
import { columnBlock } from './blocks.ts'

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

const whole = (n: number, block: number): number => Math.ceil(n / block) * block

/** What packing costs on an adapter where it can be done at all. */
function costsOn({ tuning, textureRows, subgroupSize }: Target): PackingCosts | undefined {
  return textureRows === 0 || subgroupSize < 4 ? undefined : tuning.packing ?? undefined
}

/** The terms by which a product's cost is estimated on this adapter. */
export function packingTerms({ rows, cols, depth, batch, packed }: Work, { subgroupSize }: Target): PackingTerms {
  const macs = batch * depth * Math.max(rows, fewestRows) * cols
  const padded = batch * depth * whole(rows, subgroupSize) * whole(cols, 8)
  return { macs, padded, packed }
}

/**
 * Whether packing operands into textures pays by the row in use, on an adapter where it can be done at all: the sum must be
 * long, or the result large, against what is packed.
 */
export function packingPays(work: Work, target: Target): boolean {
  const costs = costsOn(target)
  if (!costs) return false
  const { macs, padded, packed } = packingTerms(work, target)
  return costs.buffer * macs > costs.texture * padded + costs.element * packed + costs.dispatches
}

/** Whether textures of so many texels can be made. */
export function texelsFit(target: Target, ...texels: readonly number[]): boolean {
  return texels.every((n) => Math.ceil(n / textureWidth) <= target.textureRows)
}

/** The work of a convolution of 3×3 by tiles (see `winograd`), for each of `batch` groups of channels. */
export interface Tiles {
  readonly rows: number
  readonly channels: number
  readonly batch: number
  /** Pixels of all images that are computed, the tiles that they lie in, and the positions of a tile. */
  readonly pixels: number
  readonly tiles: number
  readonly positions: number
}

/** Texels that a texture of transformed operands may have: 128 MiB, which any adapter binds of a buffer. */
const mostTexels = 2 ** 23

/**
 * Whether a convolution of 3×3, packed anyhow, is done sooner by tiles. On llvmpipe a multiply-add of its own product takes four
 * fifths of what {@link PackingCosts.texture} says (see `rowOfTaps`), and counts as seven tenths, so that what gains little
 * stays as it is; a texel of transformed filters and tiles takes as long as five elements packed, and one of products, which is
 * written and read, as ten. Filters count as transformed each time, as they are in training and where a plan cannot keep them.
 */
export function tilesPay({ rows, channels, batch, pixels, tiles, positions }: Tiles, target: Target): boolean {
  const costs = costsOn(target)
  if (!costs) return false
  const [high, four] = [whole(rows, target.subgroupSize), whole(channels, 4)]
  const each = batch * positions
  const direct = batch * 9 * four * high * whole(pixels, columnBlock(target))
  const byTiles = each * four * high * whole(tiles, columnBlock(target))
  const [filters, images, products] = [each * high * four / 4, each * tiles * four / 4, each * high * Math.ceil(tiles / 4)] as const
  if (Math.max(filters, images, products) > mostTexels) return false
  return costs.texture * (0.7 * direct - byTiles) > costs.element * (5 * (filters + images) + 10 * products - 9 * batch * rows * channels) + costs.dispatches
}
