import { stridesOf } from '../shape.ts'

/**
 * A product as numbers: `out[z, row, col] = Σ_k a(z, row, k) · b(z, col, k)`. Columns and the sum run over three axes each, the last two of
 * which may slide over an image: `col = (c2·n1 + c1)·n0 + c0`, and k is `(k2, k1, k0)`. Steps are in elements.
 */
export interface Contraction {
  readonly batch: number
  readonly rows: number
  readonly cols: readonly [n2: number, n1: number, n0: number]
  readonly sum: readonly [m2: number, m1: number, m0: number]
  /** Element `z·batch + row·row + k2·sum[0] + k1·sum[1] + k0·sum[2]`. */
  readonly a: { readonly batch: number; readonly row: number; readonly sum: readonly [number, number, number] }
  /** Element `z·batch + c2·col + k2·sum`, and from there that of the window; without one `n1`, `n0`, `m1` and `m0` are 1. */
  readonly b: { readonly batch: number; readonly col: number; readonly sum: number; readonly window?: Window }
  readonly out: Place
}

/** A pixel of an image by the last two axes of columns and sum: in row `offset[0] + c1·cols[0] + k1·sum[0]`, and so on in columns. */
export interface Window {
  /** Rows and columns of the image, and elements from one row to the next; outside counts as zero. */
  readonly size: readonly [number, number]
  readonly pitch: number
  readonly offset: readonly [number, number]
  readonly cols: readonly [number, number]
  readonly sum: readonly [number, number]
  /** Every so many rows and columns there is one of the image, and what stands between counts as zero. */
  readonly dilation?: readonly [number, number]
}

/** Where results stand, by the output's axes: as many of `batch.axis` a batch, one of `row` a row, and of columns an axis each. */
export interface Place {
  readonly shape: readonly number[]
  readonly batch: { readonly axis: number; readonly step: number }
  readonly row: number
  readonly cols: readonly { readonly axis: number; readonly start?: number; readonly step: number }[]
}

/** Steps of results in a tensor of the output's axes with these strides. */
export interface PlaceSteps {
  readonly offset: number
  readonly batch: number
  readonly row: number
  readonly cols: readonly [number, number, number]
}

/** How far apart results stand in a tensor of the output's axes, the output itself unless other strides are given. */
export function placeSteps({ shape, batch, row, cols }: Place, strides: readonly number[] = stridesOf(shape)): PlaceSteps {
  const along = (axis: number): number => strides[axis] ?? 0
  const [c2 = 0, c1 = 0, c0 = 0] = cols.map(({ axis, step }) => step * along(axis))
  return {
    offset: cols.reduce((sum, { axis, start = 0 }) => sum + start * along(axis), 0),
    batch: batch.step * along(batch.axis), row: along(row), cols: [c2, c1, c0],
  }
}

/** Columns of a contraction. */
export function columnsOf({ cols: [n2, n1, n0] }: Contraction): number {
  return n2 * n1 * n0
}
