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

// Nanoseconds under llvmpipe on two cores, as measured on products and convolutions of 1 to 1000 million multiply-adds: one
// of these on buffers and from textures, an element packed, and the dispatches that packing adds.
const direct = 0.05
const fromTexture = 0.025
const perElement = 1.2
const dispatches = 100_000

/**
 * Whether packing operands into textures pays, on an adapter where they are faster at all: the sum must be long, or the
 * result large, against what is packed.
 */
export function packingPays({ rows, cols, depth, batch, packed }: Work, target: Target): boolean {
  if (target.textureRows === 0 || target.subgroupSize < 4) return false
  const macs = batch * depth * rows * cols
  const padded = batch * depth * Math.ceil(rows / target.subgroupSize) * target.subgroupSize * Math.ceil(cols / 8) * 8
  return direct * macs > fromTexture * padded + perElement * packed + dispatches
}

/** Whether textures of so many texels can be made. */
export function texelsFit(target: Target, ...texels: readonly number[]): boolean {
  return texels.every((n) => Math.ceil(n / textureWidth) <= target.textureRows)
}
