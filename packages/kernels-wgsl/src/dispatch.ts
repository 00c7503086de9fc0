import type { Target } from './op.ts'

/** WebGPU's limit on workgroups along one axis of a dispatch. */
export const maxWorkgroups = 65_535

/**
 * Workgroups for a kernel that strides over `items` units of work in a loop: each workgroup costs a software adapter
 * about 0.6 µs and its cores are few, so it gets few workgroups with long loops; a GPU gets one per unit.
 */
export function stridedGroups(items: number, target: Target): number {
  return evenGroups(items, target.tuning.workgroups)
}

/**
 * At most so many workgroups for `items` of work, with as many of them each, but for the last: llvmpipe gives each of its threads
 * neighbouring workgroups, and of 96 items on 64 the first thread would have two thirds.
 */
export function evenGroups(items: number, most: number): number {
  const each = Math.max(1, Math.ceil(items / most))
  return Math.max(1, Math.ceil(items / each))
}

/** A loop cut into parts that are computed side by side, each over `span` of its steps but for the last, which may have fewer. */
export interface Parts {
  readonly count: number
  readonly span: number
}

/** Cuts a loop of `length` steps into `most` parts or fewer, none of less than `least` steps, each a multiple of `unit` of them. */
export function partsOf(length: number, { most, least, unit }: { readonly most: number; readonly least: number; readonly unit: number }): Parts {
  const wanted = Math.max(1, Math.min(Math.floor(most), Math.floor(length / least)))
  const span = Math.ceil(length / wanted / unit) * unit
  return { count: Math.max(1, Math.ceil(length / span)), span }
}
