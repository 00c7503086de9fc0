import { type Parts, partsOf } from '../dispatch.ts'
import type { Target } from '../op.ts'
import { type Loop, passing } from './loop.ts'
import type { Sources } from './sources.ts'

/** How the rows of a loop are shared out among lanes and workgroups. */
export interface Schedule {
  /** Rows of a head that are owned, and those that stream past. */
  readonly rows: number
  readonly others: number
  /** Rows of a lane, and lanes of a workgroup that own rows apart from each other. */
  readonly each: number
  readonly lanes: number
  /** Blocks of rows that a workgroup owns at a time: of a head, and of all. */
  readonly blocks: number
  readonly items: number
  /** Parts of the stream that are visited side by side, and whether it is cut into more than one. */
  readonly parts: Parts
  readonly cut: boolean
}

/** Shares out a loop's rows. */
export function scheduleOf(loop: Loop, { slots, group, budget, least, ...sources }: Sources, target: Target): Schedule {
  const { batch, heads } = loop.sizes
  const { rows, others, held } = passing(loop)
  const lanes = sources.lanes / group
  // More rows a lane are fewer loads a multiply-add; a software adapter spills to fast memory, a GPU should not spill.
  let each = [4, 2].find((n) => held * slots * n <= budget) ?? 1
  while (each > 1 && lanes * each / 2 >= rows) each /= 2
  const blocks = Math.ceil(rows / (lanes * each))
  const items = batch * heads * blocks
  // As many as keep an H100 busy: they make gradients of 77 keys over 4,096 queries 13 times as fast, and attention over 1,024 tokens
  // of 8 heads twice; twice as many are slower or no faster.
  const most = least === undefined ? 1 : target.tuning.busy / items
  const parts = partsOf(others, { most, least: least ?? 1, unit: least ?? 1 })
  return { rows, others, each, lanes, blocks, items, parts, cut: parts.count > 1 }
}
