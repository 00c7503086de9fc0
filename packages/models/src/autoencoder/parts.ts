import { concat, type Tensor } from '@antipode/core'
import { abortSignal, anObject, callable, checkOptions, either, flag } from '@antipode/core/options'
import type { Coder, Parts, Tiling } from './coding.ts'
import { type TileGrid, tileGrid, tiles } from './tiles.ts'

/** In which parts an autoencoder computes a batch, so that it takes the memory of one part. */
export interface PartsOptions {
  /**
   * Whether an image of which a side is longer than a tile is computed tile by tile, and in which tiles; false by
   * default. Every tile has norms and attention of its own, so that colours differ a little from those of the whole.
   */
  readonly tiling?: boolean | Tiling
  /** Whether the images of a batch are computed one by one; false by default. */
  readonly slicing?: boolean
}

/** Options of what is computed part by part before it is given. */
export interface InPartsOptions extends PartsOptions {
  /** Asked before each part. */
  readonly signal?: AbortSignal
  /** Told after each part. */
  readonly onPart?: (done: number, of: number) => void
}

const partsRanges = { tiling: either(flag, anObject('size and overlap of tiles')), slicing: flag }

/**
 * Encodes or decodes part after part, lazily: a plan has them one after the other.
 * @throws {ConfigError} if an option is none
 */
export function code(coder: Coder, x: Tensor, options: PartsOptions): Tensor {
  checkOptions(coder.where, options, partsRanges)
  const { parts } = partsOf(coder, x, options)
  let part = parts.next()
  while (!part.done) part = parts.next()
  return part.value
}

/**
 * The same, each part computed before the next is begun. An abort leaves nothing on the device.
 * @throws {ConfigError} if an option is none, and the signal's reason
 */
export async function codeInParts(coder: Coder, x: Tensor, options: InPartsOptions): Promise<Tensor> {
  checkOptions(coder.where, options, { ...partsRanges, signal: abortSignal, onPart: callable })
  const { signal, onPart, ...chosen } = options
  const { parts, count } = partsOf(coder, x, chosen)
  const kept = new Set<Tensor>()
  let done = 0
  try {
    signal?.throwIfAborted()
    let part = parts.next()
    while (!part.done) {
      const { made, spent, counts } = part.value
      await x.device.evaluate([made])
      kept.add(made)
      for (const t of spent) if (kept.delete(t)) t.dispose()
      if (counts) onPart?.(++done, count)
      signal?.throwIfAborted()
      part = parts.next()
    }
    kept.delete(part.value)
    return part.value
  } finally {
    for (const t of kept) t.dispose()
  }
}

/** The parts of a batch, and how many count. */
function partsOf(coder: Coder, x: Tensor, options: PartsOptions): { readonly parts: Parts; readonly count: number } {
  const { tiling = false, slicing = false } = options
  const grid = tiling === false ? undefined : tileGrid(coder, x, tiling === true ? {} : tiling)
  const [batch = 1] = x.shape
  const images = slicing ? Array.from({ length: batch }, (_, k) => x.slice(0, k, k + 1)) : [x]
  const each = grid ? grid.rows.length * grid.columns.length : 1
  return { parts: imageByImage(coder, images, grid), count: images.length * each }
}

function* imageByImage(coder: Coder, images: readonly Tensor[], grid: TileGrid | undefined): Parts {
  const made: Tensor[] = []
  for (const image of images) made.push(yield* grid ? tiles(coder, image, grid) : inOne(coder, image))
  const whole = concat(made, 0)
  yield { made: whole, spent: made.filter((one) => one !== whole), counts: false }
  return whole
}

function* inOne(coder: Coder, image: Tensor): Parts {
  const made = coder.run(image)
  yield { made, spent: [], counts: true }
  return made
}
