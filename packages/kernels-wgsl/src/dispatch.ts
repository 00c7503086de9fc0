import type { Target } from './op.ts'

/** WebGPU's limit on workgroups along one axis of a dispatch. */
export const maxWorkgroups = 65_535

/**
 * Workgroups for a kernel that strides over `items` units of work in a loop: each workgroup costs a software adapter
 * about 0.6 µs and its cores are few, so it gets few workgroups with long loops; a GPU gets one per unit.
 */
export function stridedGroups(items: number, target: Target): number {
  return evenGroups(items, target.variants.workgroups)
}

/**
 * At most so many workgroups for `items` of work, with as many of them each, but for the last: llvmpipe gives each of its threads
 * neighbouring workgroups, and of 96 items on 64 the first thread would have two thirds.
 */
export function evenGroups(items: number, most: number): number {
  const each = Math.max(1, Math.ceil(items / most))
  return Math.max(1, Math.ceil(items / each))
}
