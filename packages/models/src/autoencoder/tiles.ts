import { concat, ConfigError, type Tensor } from '@antipode/core'
import { below, checkOptions, whole } from '@antipode/core/options'
import { blended } from './blend.ts'
import type { Coder, Parts, Tiling } from './coding.ts'

/** Tiles of an image, in latents. */
export interface TileGrid {
  readonly side: number
  readonly step: number
  /** Where they begin, from the top and from the left. */
  readonly rows: readonly number[]
  readonly columns: readonly number[]
}

/** Latents from one tile of a side to the next. */
const stepOf = (side: number, overlap: number): number => side - Math.floor(side * overlap)

/**
 * Sides of tiles for an image, in latents, from the largest that is less than the image: for each number of tiles along
 * an axis the smallest that so few cover, as larger ones decode more pixels twice. Each is at most 7/8 of the one before.
 */
export function tileSides(height: number, width: number, overlap: number): number[] {
  const longest = Math.max(height, width)
  const sides = new Set<number>()
  for (const length of [height, width]) {
    for (let n = 1; n <= length; n++) {
      const step = Math.ceil(length / n)
      let side = step
      while (stepOf(side, overlap) < step) side++
      sides.add(side)
    }
  }
  const kept: number[] = []
  for (const side of [...sides].sort((a, b) => b - a)) {
    if (side < longest && side <= (kept.at(-1) ?? Infinity) * 7 / 8) kept.push(side)
  }
  return kept
}

/** Elements of the ramp along which two tiles are blended, which is part of the graph. */
const longestOverlap = 1024

/**
 * The tiles of an image; undefined if it is no larger than one. Source: diffusers' `AutoencoderKL.tiled_decode`, whose
 * step and overlap these are wherever the two make up a tile.
 * @throws {ConfigError} if an option is none, a tile has no latent, or tiles overlap by more than 1,024 pixels
 */
export function tileGrid({ where, from, to, round, tiling }: Coder, x: Tensor, options: Tiling): TileGrid | undefined {
  checkOptions(`${where}: tiling`, options, { size: whole(1), overlap: below(0, 1) })
  const { size, overlap } = { ...tiling, ...options }
  const scale = Math.max(from, to)
  const side = Math.floor(size / scale)
  if (side === 0) throw new ConfigError(`${where}: expected tiling.size of ${scale} pixels or more, got ${size}`)
  const step = stepOf(side, overlap)
  if ((side - step) * to > longestOverlap) {
    throw new ConfigError(
      `${where}: expected tiles that overlap by ${longestOverlap} pixels at most, got ${(side - step) * to}; ` +
        'make tiling.size or tiling.overlap less',
    )
  }
  const [height = 0, width = 0] = x.shape.slice(2)
  if (Math.max(height, width) <= side * from) return undefined
  const starts = (length: number): number[] =>
    Array.from({ length: Math.ceil(round(length / from) / step) }, (_, k) => k * step)
  return { side, step, rows: starts(height), columns: starts(width) }
}

/** Codes tile after tile, each blended into by the one above and the one to the left, which are blended by then. */
export function* tiles({ from, to, run }: Coder, x: Tensor, { side, step, rows, columns }: TileGrid): Parts {
  const overlap = (side - step) * to
  const cut = (t: Tensor, axis: number, start: number): Tensor => t.slice(axis, start * from, (start + side) * from)
  const bands: Tensor[] = []
  let above: readonly Tensor[] = []
  for (const top of rows) {
    const row: Tensor[] = []
    for (const [j, start] of columns.entries()) {
      const [over, left] = [above[j], row[j - 1]]
      let tile = run(cut(cut(x, 2, top), 3, start))
      if (over) tile = blended(over, tile, 2, overlap)
      if (left) tile = blended(left, tile, 3, overlap)
      row.push(tile)
      yield { made: tile, spent: [], counts: true }
    }
    const band = concat(row.map((tile) => tile.slice(2, 0, step * to).slice(3, 0, step * to)), 3)
    bands.push(band)
    yield { made: band, spent: above, counts: false }
    above = row
  }
  const whole = concat(bands, 2)
  yield { made: whole, spent: [...above, ...bands.filter((band) => band !== whole)], counts: false }
  return whole
}
