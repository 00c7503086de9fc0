import { at } from '../at.ts'
import { sizeOf, stridesOf } from '../shape.ts'

/** Output axes merged as far as every operand allows, with each operand's strides on them. */
export interface Layout {
  readonly shape: readonly number[]
  readonly strides: readonly (readonly number[])[]
  readonly offsets: readonly number[]
  /** Per operand: `f` read at the flat index, `c` one constant element, `s` strided. */
  readonly patterns: readonly ('f' | 'c' | 's')[]
}

/** Merges axes that are adjacent in memory for all operands and drops axes of size 1, so that index arithmetic is short. */
export function collapse(
  shape: readonly number[],
  views: readonly { readonly strides: readonly number[]; readonly offset: number }[],
): Layout {
  const dims: number[] = []
  const strides: number[][] = views.map(() => [])
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = dims.length - 1
    const mergeable = last >= 0 && views.every((v, k) => strides[k]?.[last] === at(v.strides, axis) * size)
    if (mergeable) dims[last] = at(dims, last) * size
    else dims.push(size)
    views.forEach((v, k) => {
      const own = strides[k]
      if (!own) return
      if (mergeable) own[last] = at(v.strides, axis)
      else own.push(at(v.strides, axis))
    })
  })
  if (dims.length === 0) {
    dims.push(sizeOf(shape))
    for (const s of strides) s.push(1)
  }
  const flat = stridesOf(dims)
  return {
    shape: dims,
    strides,
    offsets: views.map((v) => v.offset),
    patterns: strides.map((s) =>
      s.every((x, d) => x === flat[d]) ? 'f' : s.every((x) => x === 0) ? 'c' : 's'),
  }
}
