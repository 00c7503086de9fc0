import { at } from '../at.ts'
import type { RefTensor, View } from '../op.ts'
import { element, refZeros, sizeOf, stridesOf } from '../shape.ts'

/** The view of a whole contiguous tensor. */
export function viewOf(x: { readonly shape: readonly number[] }): View {
  return { shape: x.shape, strides: stridesOf(x.shape), offset: 0 }
}

/** Copies what a view sees into a contiguous reference tensor. */
export function readView(x: RefTensor, view: View | undefined): RefTensor {
  if (!view) return x
  const out = refZeros(view.shape, x.dtype)
  for (let flat = 0; flat < out.data.length; flat++) {
    let rest = flat
    let index = view.offset
    for (let d = view.shape.length - 1; d >= 0; d--) {
      const size = view.shape[d] as number // an axis of the view
      index += (rest % size) * (view.strides[d] as number)
      rest = Math.floor(rest / size)
    }
    out.data[flat] = element(x.data, index)
  }
  return out
}

/** Whether a view reads neighbouring elements in row-major order; strides of axes of size 1 do not matter. */
export function isContiguous({ shape, strides }: Pick<View, 'shape' | 'strides'>): boolean {
  const expected = stridesOf(shape)
  return sizeOf(shape) === 0 || shape.every((size, i) => size === 1 || strides[i] === expected[i])
}

/**
 * The strides of a view under another shape of as many elements, or undefined where no strides can express it: axes are
 * matched in groups of equal size, and those of a group that is merged or cut must lie one within the other.
 */
export function reshapedView(view: View, shape: readonly number[]): View | undefined {
  if (isContiguous(view)) return { shape, strides: stridesOf(shape), offset: view.offset }
  const from = view.shape.map((size, i) => ({ size, stride: at(view.strides, i) })).filter(({ size }) => size !== 1)
  const strides = new Array<number>(shape.length).fill(0)
  let end = shape.length
  for (let last = from.length; last > 0;) {
    // The shortest run of old axes, from the back, that some run of new axes covers.
    let first = last - 1
    let start = end
    let [had, has] = [from[first]?.size ?? 1, 1]
    while (had !== has || start === end) {
      if (has < had || start === end) has *= shape[--start] ?? Number.NaN
      else had *= from[--first]?.size ?? Number.NaN
      if (Number.isNaN(had * has)) return undefined
    }
    for (let i = first; i < last - 1; i++) {
      const inner = from[i + 1]
      if (inner && from[i]?.stride !== inner.stride * inner.size) return undefined
    }
    let step = from[last - 1]?.stride ?? 0
    for (let i = end - 1; i >= start; i--) {
      strides[i] = step
      step *= at(shape, i)
    }
    end = start
    last = first
  }
  return { shape, strides, offset: view.offset }
}
