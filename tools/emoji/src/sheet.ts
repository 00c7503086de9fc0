import { contactSheet, type Pixels } from '@antipode/pipelines'
import { rng } from '@antipode/core/random'
import type { Pair } from './data-set/index.ts'

/** Pairs of a sheet. */
const count = 100
/** Pairs side by side. */
const pairsInRow = 10

/** A sheet of random pairs, each clean picture with its spoilt copy to the right. @throws {ShapeError} if there are none */
export function sheetOf(pairs: readonly Pair[]): Pixels {
  const chosen = rng(0).shuffle([...pairs]).slice(0, count)
  return contactSheet(chosen.flatMap(({ clean, spoilt }) => [clean, spoilt]), { columns: 2 * pairsInRow, gap: 4, background: [128, 128, 128] })
}
