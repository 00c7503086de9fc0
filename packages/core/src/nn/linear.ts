import { linear } from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { checkArgument, checkOptions, flag, whole } from '../options/index.ts'
import { AdaptableLayer } from './adapters/index.ts'
import { affine, type Initialiser } from './initialiser.ts'
import type { Affine, LinearLayer } from './layer.ts'

/** `y = x·Wᵀ + b` over the last axis: `[..., in] -> [..., out]`; carries adapters. */
export class Linear extends AdaptableLayer implements LinearLayer {
  /** `[out, in]` */
  readonly weight: Tensor
  /** `[out]` */
  readonly bias: Tensor | undefined
  readonly groups = 1

  /** @param like a layer that this one stands for, whose adapters it shares */
  constructor(weight: Tensor, bias?: Tensor, like?: AdaptableLayer) {
    super(like)
    this.weight = weight
    this.bias = bias
  }

  /**
   * Fresh parameters, as `torch.nn.Linear` draws them.
   * @param options.bias true by default @throws {ConfigError} if a width is not whole and 1 or more, or on an unknown
   * option
   */
  static of(init: Initialiser, inputs: number, outputs: number, options: { readonly bias?: boolean } = {}): Linear {
    checkArgument('Linear', 'inputs', inputs, whole(1))
    checkArgument('Linear', 'outputs', outputs, whole(1))
    checkOptions('Linear', options, { bias: flag })
    const made = affine(init, [outputs, inputs], options.bias ?? true)
    return new Linear(made.weight, made.bias)
  }

  get weightShape(): readonly number[] {
    return this.weight.shape
  }

  plainWeight(): Tensor {
    return this.weight
  }

  product(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
    return linear(x, weight, bias)
  }

  /** Itself, unless an adapter is on. */
  affine(): Affine | undefined {
    return this.changes().length > 0 ? undefined : this
  }
}
