import { embedding } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { checkArgument, whole } from '../options/index.ts'
import { Adaptable } from './adapters/index.ts'
import type { Initialiser } from './initialiser.ts'

/** A table of learned rows: indices (i32 or u32) `[...] -> [..., size]`; carries adapters that are differences. */
export class Embedding extends Adaptable {
  /** `[count, size]` */
  readonly weight: Tensor

  constructor(weight: Tensor) {
    super()
    this.weight = weight
  }

  /**
   * Standard normal rows, as `torch.nn.Embedding` draws them.
   * @throws {ConfigError} unless count and size are whole and 1 or more
   */
  static of(init: Initialiser, count: number, size: number): Embedding {
    checkArgument('Embedding', 'count', count, whole(1))
    checkArgument('Embedding', 'size', size, whole(1))
    return new Embedding(init.normal([count, size], 1))
  }

  get weightShape(): readonly number[] {
    return this.weight.shape
  }

  get bias(): undefined {
    return undefined
  }

  plainWeight(): Tensor {
    return this.weight
  }

  forward(indices: Tensor): Tensor {
    const rows = embedding(this.weight, indices)
    const changes = this.changes().flatMap(([delta, w]) => delta.rows?.(indices, w) ?? [])
    return changes.reduce((sum, change) => sum.to('f32').add(change), rows).to(rows.dtype)
  }
}
