import { embedding, type Tensor, where } from '@antipode/core'
import { type Layer, Module } from '@antipode/core/nn'

/** A table of rows, and more rows whose numbers go on where the table's end. The table stays where it is. */
export class GrownEmbedding extends Module {
  readonly table: Layer
  /** `[n, width]` */
  readonly added: Tensor
  /** Rows of the table. */
  readonly count: number

  constructor(table: Layer, added: Tensor, count: number) {
    super()
    this.table = table
    this.added = added
    this.count = count
  }

  /** ids, i32 `[...] -> [..., width]` */
  forward(ids: Tensor): Tensor {
    const isAdded = ids.ge(this.count)
    const own = this.table.forward(where(isAdded, 0, ids))
    const rows = embedding(this.added, where(isAdded, ids.sub(this.count), 0))
    return where(isAdded.unsqueeze(-1), rows, own)
  }
}
