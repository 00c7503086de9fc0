import { type DType, sizeOf } from '@antipode/kernels-wgsl'
import { type Tensor, tensor, type TensorHost, zeros } from '../graph/index.ts'
import { checkOptions, flag, oneOf, required, whole } from '../options/index.ts'
import { rng, type Rng } from '../random/index.ts'

/** Options of {@link Initialiser}. */
export interface InitialiserOptions {
  /** Whole, in [0, 2^53). */
  readonly seed: number
  /** Element type of the parameters: f32, the default, f16 or bf16. */
  readonly dtype?: DType
  /** Make parameters that are zero and own no memory, for a model whose weights `load` brings. Default false. */
  readonly placeholders?: boolean
}

/**
 * Makes the parameters of a model, one after the other, from one seeded generator on the CPU: the order in which layers
 * ask for them defines their values, which are therefore the same on every adapter.
 */
export class Initialiser {
  readonly device: TensorHost
  readonly dtype: DType
  readonly #random: Rng
  readonly #placeholders: boolean

  /** @throws {ConfigError} if the seed is not an integer in [0, 2^53), or another option is unknown or out of its range */
  constructor(device: TensorHost, options: InitialiserOptions) {
    checkOptions('Initialiser', options, { seed: required(whole(0)), dtype: oneOf('f32', 'f16', 'bf16'), placeholders: flag })
    const { seed, dtype = 'f32', placeholders = false } = options
    this.device = device
    this.dtype = dtype
    this.#random = rng(seed)
    this.#placeholders = placeholders
  }

  /** Uniform in [−bound, bound). */
  uniform(shape: readonly number[], bound: number): Tensor {
    return this.#fill(shape, () => (2 * this.#random.uniform() - 1) * bound)
  }

  /** Normal of mean 0. */
  normal(shape: readonly number[], std: number): Tensor {
    return this.#fill(shape, () => this.#random.normal() * std)
  }

  /** The same number everywhere. */
  filled(shape: readonly number[], value: number): Tensor {
    return this.#fill(shape, () => value)
  }

  /**
   * Weight and bias of a linear or convolution layer as torch draws them: both uniform within 1/√fanIn, where fanIn is the
   * number of inputs of one output (He et al. 2015 with a = √5, which is what `torch.nn.Linear.reset_parameters` uses).
   */
  affine(shape: readonly number[], bias: boolean): { weight: Tensor; bias: Tensor | undefined } {
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)))
    return { weight: this.uniform(shape, bound), bias: bias ? this.uniform(shape.slice(0, 1), bound) : undefined }
  }

  #fill(shape: readonly number[], value: () => number): Tensor {
    if (this.#placeholders) return zeros(this.device, shape, { dtype: this.dtype })
    return tensor(this.device, Float32Array.from({ length: sizeOf(shape) }, value), shape, { dtype: this.dtype })
  }
}
