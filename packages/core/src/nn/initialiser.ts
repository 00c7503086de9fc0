import { type DType, sizeOf } from '@antipode/kernels-wgsl'
import { type Tensor, tensor, type Backend, zeros } from '../graph/index.ts'
import { checkOptions, oneOf, required, whole } from '../options/index.ts'
import { rng } from '../random/index.ts'

/** Makes the parameters of a model, one after the other, as its layers ask for them. */
export interface Initialiser {
  readonly device: Backend
  /** Element type of the parameters. */
  readonly dtype: DType
  /** Uniform in [−bound, bound). */
  uniform(shape: readonly number[], bound: number): Tensor
  /** Normal of mean 0. */
  normal(shape: readonly number[], std: number): Tensor
  /** The same number everywhere. */
  filled(shape: readonly number[], value: number): Tensor
}

/** Options of {@link randomParameters}. */
export interface RandomParametersOptions {
  /** Whole, in [0, 2^53). */
  readonly seed: number
  /** f32, the default, f16 or bf16. */
  readonly dtype?: DType
}

const dtypes = oneOf('f32', 'f16', 'bf16')

/**
 * Parameters that are drawn from one seeded generator on the CPU: the order in which layers ask for them defines their
 * values, which are therefore the same on every adapter.
 * @throws {ConfigError} if the seed is not an integer in [0, 2^53), or another option is unknown or out of its range
 */
export function randomParameters(device: Backend, options: RandomParametersOptions): Initialiser {
  checkOptions('randomParameters', options, { seed: required(whole(0)), dtype: dtypes })
  const { seed, dtype = 'f32' } = options
  const random = rng(seed)
  const fill = (shape: readonly number[], value: () => number): Tensor =>
    tensor(device, Float32Array.from({ length: sizeOf(shape) }, value), shape, { dtype })
  return {
    device,
    dtype,
    uniform: (shape, bound) => fill(shape, () => (2 * random.uniform() - 1) * bound),
    normal: (shape, std) => fill(shape, () => random.normal() * std),
    filled: (shape, value) => fill(shape, () => value),
  }
}

/**
 * Parameters that have shapes and an element type but no memory, for a model whose weights `load` brings. Until then
 * all are zero.
 * @throws {ConfigError} on an option that is unknown or out of its range
 */
export function placeholders(device: Backend, options: { readonly dtype?: DType } = {}): Initialiser {
  checkOptions('placeholders', options, { dtype: dtypes })
  const { dtype = 'f32' } = options
  const zero = (shape: readonly number[]): Tensor => zeros(device, shape, { dtype })
  return { device, dtype, uniform: zero, normal: zero, filled: zero }
}

/**
 * Weight and bias of a linear or convolution layer as torch draws them: both uniform within 1/√fanIn, where fanIn is
 * the number of inputs of one output (He et al. 2015 with a = √5, which is what `torch.nn.Linear.reset_parameters`
 * uses).
 */
export function affine(
  init: Initialiser,
  shape: readonly number[],
  bias: boolean,
): { weight: Tensor; bias: Tensor | undefined } {
  const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)))
  return { weight: init.uniform(shape, bound), bias: bias ? init.uniform(shape.slice(0, 1), bound) : undefined }
}
