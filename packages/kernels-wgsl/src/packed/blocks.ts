import type { Target } from '../op.ts'

/**
 * Rows of one panel of the left operand, and how many of them a workgroup computes: the more the faster (32 rows are
 * 10% ahead of 16), as long as no more of them are padding.
 */
export function rowBlock(rows: number, { subgroupSize: panel }: Target): { readonly panel: number; readonly block: number } {
  const padded = (block: number): number => Math.ceil(rows / block) * block
  const block = [4 * panel, 2 * panel].find((b) => rows > b / 2 && padded(b) <= padded(2 * panel)) ?? panel
  return { panel, block }
}

/** Panels of the left operand for one batch: whole blocks of them. */
export function panelCount(rows: number, target: Target): number {
  const { panel, block } = rowBlock(rows, target)
  return Math.ceil(rows / block) * (block / panel)
}

/** Columns of one workgroup. */
export function columnBlock({ subgroupSize }: Target): number {
  return 4 * subgroupSize
}
