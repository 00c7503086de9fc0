import { ConfigError } from '../errors.ts'
import { groupNorm, layerNorm, type NormOptions, rmsNorm } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { atLeast, checkArgument, checkOptions, oneOf, whole } from '../options/index.ts'
import { Adaptable } from './adapters/index.ts'
import type { Initialiser } from './initialiser.ts'

/** What is added to the variance, or to the mean square: finite and 0 or more. */
export interface NormEps {
  readonly eps?: number
}

/** Checks what all norms are made of. @throws {ConfigError} */
function checkNorm(where: string, size: number, options: NormEps): void {
  checkArgument(where, 'the size', size, whole(1))
  checkOptions(where, options, { eps: atLeast(0) })
}

/** {@link groupNorm} with learned scale and shift per channel: x `[B,C,...]`. */
export class GroupNorm extends Adaptable {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly groups: number
  readonly eps: number

  /** @throws {ConfigError} if the groups do not divide the channels, or eps is negative or not finite */
  constructor(groups: number, weight: Tensor, bias: Tensor, eps = 1e-5) {
    super()
    checkNorm('GroupNorm', weight.size, { eps })
    checkGroups(groups, weight.size)
    this.weight = weight
    this.bias = bias
    this.groups = groups
    this.eps = eps
  }

  /**
   * Scale 1 and shift 0; eps is 1e-5 by default.
   * @throws {ConfigError} if the groups do not divide the channels, or on an option out of its range
   */
  static of(init: Initialiser, groups: number, channels: number, options: NormEps = {}): GroupNorm {
    checkNorm('GroupNorm', channels, options)
    checkGroups(groups, channels)
    return new GroupNorm(groups, init.filled([channels], 1), init.filled([channels], 0), options.eps)
  }

  get weightShape(): readonly number[] {
    return this.weight.shape
  }

  plainWeight(): Tensor {
    return this.weight
  }

  forward(x: Tensor, options: Pick<NormOptions, 'activation'> = {}): Tensor {
    checkOptions('GroupNorm', options, { activation: oneOf('silu') })
    return groupNorm(x, this.groups, { ...this.changed(), eps: this.eps, activation: options.activation })
  }
}

function checkGroups(groups: number, channels: number): void {
  checkArgument('GroupNorm', 'groups', groups, whole(1))
  if (channels % groups === 0) return
  throw new ConfigError(`GroupNorm: expected groups that divide the channels, got ${groups} for ${channels}`)
}

/** {@link layerNorm} over the last axis with learned scale and shift. */
export class LayerNorm extends Adaptable {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly eps: number

  /** @throws {ConfigError} if eps is negative or not finite */
  constructor(weight: Tensor, bias: Tensor, eps = 1e-5) {
    super()
    checkNorm('LayerNorm', weight.size, { eps })
    this.weight = weight
    this.bias = bias
    this.eps = eps
  }

  /**
   * Scale 1 and shift 0; eps is 1e-5 by default.
   * @throws {ConfigError} on a size that is not whole, or an option out of its range
   */
  static of(init: Initialiser, size: number, options: NormEps = {}): LayerNorm {
    checkNorm('LayerNorm', size, options)
    return new LayerNorm(init.filled([size], 1), init.filled([size], 0), options.eps)
  }

  get weightShape(): readonly number[] {
    return this.weight.shape
  }

  plainWeight(): Tensor {
    return this.weight
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, { ...this.changed(), eps: this.eps })
  }
}

/** {@link rmsNorm} over the last axis with learned scale. */
export class RMSNorm extends Adaptable {
  readonly weight: Tensor
  readonly eps: number

  /** @throws {ConfigError} if eps is negative or not finite */
  constructor(weight: Tensor, eps = 1e-6) {
    super()
    checkNorm('RMSNorm', weight.size, { eps })
    this.weight = weight
    this.eps = eps
  }

  /**
   * Scale 1; eps is 1e-6 by default.
   * @throws {ConfigError} on a size that is not whole, or an option out of its range
   */
  static of(init: Initialiser, size: number, options: NormEps = {}): RMSNorm {
    checkNorm('RMSNorm', size, options)
    return new RMSNorm(init.filled([size], 1), options.eps)
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

  forward(x: Tensor): Tensor {
    return rmsNorm(x, { weight: this.changed().weight, eps: this.eps })
  }
}
