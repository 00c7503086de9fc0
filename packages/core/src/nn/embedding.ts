import { embedding } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import type { Initialiser } from './initialiser.ts'
import { Module } from './module.ts'

/** A table of learned rows: indices (i32 or u32) `[...] -> [..., size]`. */
export class Embedding extends Module {
  /** `[count, size]` */
  readonly weight: Tensor

  constructor(weight: Tensor) {
    super()
    this.weight = weight
  }

  /** Standard normal rows, as `torch.nn.Embedding` draws them. */
  static of(init: Initialiser, count: number, size: number): Embedding {
    return new Embedding(init.normal([count, size], 1))
  }

  forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices)
  }
}
