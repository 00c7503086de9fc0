import { groupNorm, layerNorm, type NormOptions, rmsNorm } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import type { Initialiser } from './initialiser.ts'
import { Module } from './module.ts'

/** {@link groupNorm} with learned scale and shift per channel: x `[B,C,...]`. */
export class GroupNorm extends Module {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly groups: number
  readonly eps: number

  constructor(groups: number, weight: Tensor, bias: Tensor, eps = 1e-5) {
    super()
    this.weight = weight
    this.bias = bias
    this.groups = groups
    this.eps = eps
  }

  /** Scale 1 and shift 0. */
  static of(init: Initialiser, groups: number, channels: number, { eps = 1e-5 }: { eps?: number } = {}): GroupNorm {
    return new GroupNorm(groups, init.filled([channels], 1), init.filled([channels], 0), eps)
  }

  forward(x: Tensor, { activation }: Pick<NormOptions, 'activation'> = {}): Tensor {
    return groupNorm(x, this.groups, { weight: this.weight, bias: this.bias, eps: this.eps, activation })
  }
}

/** {@link layerNorm} over the last axis with learned scale and shift. */
export class LayerNorm extends Module {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly eps: number

  constructor(weight: Tensor, bias: Tensor, eps = 1e-5) {
    super()
    this.weight = weight
    this.bias = bias
    this.eps = eps
  }

  /** Scale 1 and shift 0. */
  static of(init: Initialiser, size: number, { eps = 1e-5 }: { eps?: number } = {}): LayerNorm {
    return new LayerNorm(init.filled([size], 1), init.filled([size], 0), eps)
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this)
  }
}

/** {@link rmsNorm} over the last axis with learned scale. */
export class RMSNorm extends Module {
  readonly weight: Tensor
  readonly eps: number

  constructor(weight: Tensor, eps = 1e-6) {
    super()
    this.weight = weight
    this.eps = eps
  }

  /** Scale 1. */
  static of(init: Initialiser, size: number, { eps = 1e-6 }: { eps?: number } = {}): RMSNorm {
    return new RMSNorm(init.filled([size], 1), eps)
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this)
  }
}
