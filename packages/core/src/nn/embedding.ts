import { embedding } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { checkArgument, whole } from '../options/index.ts'
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

  /** Standard normal rows, as `torch.nn.Embedding` draws them. @throws {ConfigError} unless count and size are whole and 1 or more */
  static of(init: Initialiser, count: number, size: number): Embedding {
    checkArgument('Embedding', 'count', count, whole(1))
    checkArgument('Embedding', 'size', size, whole(1))
    return new Embedding(init.normal([count, size], 1))
  }

  forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices)
  }
}
