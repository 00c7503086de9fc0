/** A way to compute a product tile by tile, each by one workgroup. */
export interface Form {
  readonly name: string
  /** Rows and columns of a tile, elements of the sum that are in workgroup memory at a time, and threads of a workgroup. */
  readonly height: number
  readonly breadth: number
  readonly depth: number
  readonly threads: number
  /** WGSL types of the elements of the operands' buffers, as this form reads them. */
  readonly types: readonly [a: string, b: string]
  /** Whether the text uses subgroup matrices. */
  readonly matrices?: boolean
  readonly declarations: string
  /**
   * WGSL of one thread's work `t` on the tile that begins at row `r` and column `c`. It hands results on, those beyond the last row
   * or column too, by `put4(z, part, row, col, values)`: four columns from a multiple of four on.
   */
  readonly tile: string
}
