import { linear } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { type Adaptable, type LowRank, narrowWeight } from './adapters.ts'
import type { Initialiser } from './initialiser.ts'
import { Module } from './module.ts'

/** `y = x·Wᵀ + b` over the last axis: `[..., in] -> [..., out]`; carries adapters. */
export class Linear extends Module implements Adaptable {
  /** `[out, in]` */
  readonly weight: Tensor
  /** `[out]` */
  readonly bias: Tensor | undefined
  readonly adapters: Map<string, LowRank> = new Map()
  active: ReadonlyMap<string, number> = new Map()

  constructor(weight: Tensor, bias?: Tensor) {
    super()
    this.weight = weight
    this.bias = bias
  }

  /** Fresh parameters, as `torch.nn.Linear` draws them. */
  static of(init: Initialiser, inputs: number, outputs: number, { bias = true }: { bias?: boolean } = {}): Linear {
    const made = init.affine([outputs, inputs], bias)
    return new Linear(made.weight, made.bias)
  }

  forward(x: Tensor): Tensor {
    const narrow = narrowWeight(this)
    let y = linear(x, narrow ?? this.weight, this.bias)
    if (narrow) return y
    for (const [name, w] of this.active) {
      const pair = this.adapters.get(name)
      if (pair) y = y.add(linear(linear(x, pair.a.to(x.dtype)).mul(w * pair.scale), pair.b.to(x.dtype)))
    }
    return y
  }

  lowRankShapes(rank: number): { a: number[]; b: number[] } {
    const [outputs = 0, inputs = 0] = this.weight.shape
    return { a: [rank, inputs], b: [outputs, rank] }
  }
}
