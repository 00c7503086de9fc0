import { blockTypes, type DType, type MadeBlockType, madeBlockTypes, sizeOf } from '@antipode/kernels-wgsl'
import { type Tensor, tensor, type Backend, zeros } from '../graph/index.ts'
import { checkOptions, oneOf, type Ranges, required, whole } from '../options/index.ts'
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
  /** What a linear or convolution layer multiplies by, uniform in [−bound, bound); by `uniform` where this is absent. */
  weight?(shape: readonly number[], bound: number): Tensor
}

/** How parameters are kept. */
export interface ParameterTypes {
  /** f32, the default, f16 or bf16. */
  readonly dtype?: DType
  /**
   * What linear and convolution layers multiply by, if not of that type: blocks of ggml, `q8_0` or `q4_0`, of which a
   * layer's numbers are made in each pass and not kept. Norms, biases and tables stay as they are, and so do weights of
   * which an output has no whole number of blocks of 32, as the first convolution of a UNet.
   */
  readonly weights?: MadeBlockType
}

/** Options of {@link randomParameters}. */
export interface RandomParametersOptions extends ParameterTypes {
  /** Whole, in [0, 2^53). */
  readonly seed: number
}

/** Ranges of {@link ParameterTypes}. */
export const parameterRanges: Ranges<ParameterTypes> = { dtype: oneOf('f32', 'f16', 'bf16'), weights: oneOf(...madeBlockTypes) }

/** The type of a weight: of blocks where one output's numbers fill them. */
function weightType(shape: readonly number[], { dtype = 'f32', weights }: ParameterTypes): DType {
  return weights && sizeOf(shape.slice(1)) % blockTypes[weights].size === 0 ? weights : dtype
}

/**
 * Parameters that are drawn from one seeded generator on the CPU: the order in which layers ask for them defines their
 * values, which are therefore the same on every adapter.
 * @throws {ConfigError} if the seed is not an integer in [0, 2^53), or another option is unknown or out of its range
 */
export function randomParameters(device: Backend, options: RandomParametersOptions): Initialiser {
  checkOptions('randomParameters', options, { seed: required(whole(0)), ...parameterRanges })
  const { seed, dtype = 'f32' } = options
  const random = rng(seed)
  const fill = (shape: readonly number[], value: () => number, type = dtype): Tensor =>
    tensor(device, Float32Array.from({ length: sizeOf(shape) }, value), shape, { dtype: type })
  const uniform = (bound: number) => (): number => (2 * random.uniform() - 1) * bound
  return {
    device,
    dtype,
    uniform: (shape, bound) => fill(shape, uniform(bound)),
    weight: (shape, bound) => fill(shape, uniform(bound), weightType(shape, options)),
    normal: (shape, std) => fill(shape, () => random.normal() * std),
    filled: (shape, value) => fill(shape, () => value),
  }
}

/**
 * Parameters that have shapes and an element type but no memory, for a model whose weights `load` brings. Until then
 * all are zero; those in blocks have to be loaded before they are computed with.
 * @throws {ConfigError} on an option that is unknown or out of its range
 */
export function placeholders(device: Backend, options: ParameterTypes = {}): Initialiser {
  checkOptions('placeholders', options, parameterRanges)
  const { dtype = 'f32' } = options
  const zero = (shape: readonly number[]): Tensor => zeros(device, shape, { dtype })
  const weight = (shape: readonly number[]): Tensor => zeros(device, shape, { dtype: weightType(shape, options) })
  return { device, dtype, uniform: zero, normal: zero, filled: zero, weight }
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
  const weight = init.weight?.(shape, bound) ?? init.uniform(shape, bound)
  return { weight, bias: bias ? init.uniform(shape.slice(0, 1), bound) : undefined }
}
