import type { DType } from '../op.ts'
import type { Storage } from '../wgsl/index.ts'
import type { AttentionAttrs, Sizes } from './sizes.ts'
import type { Passing } from './sources.ts'

/**
 * The one loop that attention and its gradients share. Each lane owns one, two or four rows (queries or keys) whose
 * vectors it holds in registers; rows of the other kind stream past, some at a time, seen by all lanes.
 */
export interface Loop {
  readonly label: string
  readonly dtype: DType
  readonly sizes: Sizes
  readonly attrs: AttentionAttrs
  /** Whose rows the lanes own; the others stream. */
  readonly own: 'queries' | 'keys'
  /** Buffers of vectors held by the lanes that own their rows, and buffers that stream. */
  readonly resident: readonly string[]
  readonly streamed: readonly string[]
  /** Sums of the owned rows, vectors too, each stored to the buffer named. */
  readonly sums: Readonly<Record<string, string>>
  /** Where sums are means, the buffers of their log-sum-exps and statistics, one and two numbers an owned row: see {@link Words.finish}. */
  readonly means?: { readonly log: string; readonly statistics: string }
  readonly storage: readonly Storage[]
  /**
   * WGSL before the loop, at the streamed rows from `j` on, and after the loop. Known there: the owned `row`s, where in the mask
   * the head's `plane` begins, `score(dot, plane, row, j)` of a row (−∞ beyond the last), `weight(d)` of a score less the largest, and `R`,
   * the type of one number per owned row.
   */
  readonly before?: (w: Words) => string
  readonly each: (w: Words) => string
  readonly after?: (w: Words) => string
  /** The loop's part of its op's arithmetic, where that takes several. */
  readonly share?: number
}

/** What depends on the form of the text: arithmetic unrolled over channels and streamed rows, and numbers per owned row. */
export interface Words {
  /** A statement for each of the rows visited at once, or an expression of all of them. */
  rows(f: (i: number) => string, merge?: '+' | 'max'): string
  /** `Σ_d x_d · y_d` of a resident row and the i-th streamed one. */
  dot(x: string, y: string, i: number): string
  /** `sum_d = keep · sum_d + Σ_i by_i · y_i,d` for all d. */
  add(sum: string, by: string, y: string, keep?: string): string
  /** `sum_d = sum_d · by` for all d, or 0 where `none` holds, whatever it is. */
  scale(sum: string, by: string, none: string): string
  /** Reads the k-th of so many numbers a row, the only one unless said, into a new `name: R`. */
  read(name: string, buffer: string, of?: readonly [each: number, k: number]): string
  /** Such a number of the i-th streamed row. */
  seen(buffer: string, i: number, of?: readonly [each: number, k: number]): string
  /** Stores what `finished` makes of `top` and `total`, or for a part of the stream these themselves. */
  readonly finish: string
}

/** What streams past in a loop. */
export function passing({ label, dtype, streamed, storage, sizes, own, resident, sums, means }: Loop): Passing {
  const { queries, keys } = sizes
  const [rows, others] = own === 'queries' ? [queries, keys] : [keys, queries]
  return { label, dtype, names: streamed, storage, sizes, held: resident.length + Object.keys(sums).length, rows, others, together: means ? 2 : 1 }
}
