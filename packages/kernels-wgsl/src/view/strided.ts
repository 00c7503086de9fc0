import type { Ref, View } from '../op.ts'
import { at, refZeros, stridesOf } from '../shape.ts'

/** The view of a whole contiguous tensor. */
export function viewOf(x: { readonly shape: readonly number[] }): View {
  return { shape: x.shape, strides: stridesOf(x.shape), offset: 0 }
}

/** Copies what a view sees into a contiguous reference tensor. */
export function readView(x: Ref, view: View | undefined): Ref {
  if (!view) return x
  const out = refZeros(view.shape, x.dtype)
  for (let flat = 0; flat < out.data.length; flat++) {
    let rest = flat
    let index = view.offset
    for (let d = view.shape.length - 1; d >= 0; d--) {
      const size = view.shape[d] ?? 1
      index += (rest % size) * (view.strides[d] ?? 0)
      rest = Math.floor(rest / size)
    }
    out.data[flat] = at(x.data, index)
  }
  return out
}
