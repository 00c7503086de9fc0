import { byteSize, type DType, isFloat, type Op, philoxNormal, philoxUniform, shapeText, sizeOf } from '@antipode/kernels-wgsl'
import { ConfigError, ShapeError } from '../errors.ts'
import { encodeElements } from '../io/index.ts'
import { checkArgument, checkOptions, flag, oneOf, required, show, whole } from '../options/index.ts'
import { checkStream, splitSeed } from '../random/index.ts'
import { dtypes, sharedSpec } from './node.ts'
import { checkNumber, checkNumbers } from './numbers.ts'
import { checkShape } from './shape.ts'
import { apply1, type NonFiniteOptions, scalar, Tensor, type Backend } from './tensor.ts'

/** Options of what makes tensors. */
export interface CreateOptions {
  /** Element type, f32 by default: `f32`, `f16`, `bf16`, `i32` or `u32`. */
  readonly dtype?: DType
}

const dtypeRange = oneOf(...dtypes)
const ranges = { dtype: dtypeRange }
const numberRanges = { dtype: dtypeRange, allowNonFinite: flag }

/**
 * Uploads numbers.
 * @throws {ShapeError} if their count differs from the shape's, or the shape is none
 * @throws {NumericError} that names the first number which the dtype does not hold, or which is NaN or infinite and not
 * `allowNonFinite` @throws {ConfigError} if an option is none
 */
export function tensor(
  device: Backend,
  data: ArrayLike<number>,
  shape: readonly number[] = [data.length],
  options: CreateOptions & NonFiniteOptions = {},
): Tensor {
  checkOptions('tensor', options, numberRanges)
  const { dtype = 'f32' } = options
  checkElements('tensor', data, shape, dtype, options)
  return new Tensor(device, sharedSpec({ shape, dtype }), { kind: 'storage', storage: device.upload(data, shape, dtype) })
}

function checkElements(where: string, data: ArrayLike<number>, shape: readonly number[], dtype: DType, { allowNonFinite = false }: NonFiniteOptions): void {
  checkShape(where, shape)
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${where}: expected ${sizeOf(shape)} numbers for shape ${shapeText(shape)}, got ${data.length}`)
  }
  checkNumbers(where, data, dtype, allowNonFinite)
}

/** Constants larger than this belong in memory: they travel to the GPU with every run. */
const maxConstantBytes = 4096

/**
 * A few numbers that belong to the graph: timesteps of a batch, seeds, coefficients. They own no GPU memory and need no
 * disposal, and changing them recompiles nothing.
 * @throws {ShapeError} above 4,096 bytes, and as {@link tensor} @throws {NumericError} as {@link tensor} @throws {ConfigError} if an option is none
 */
export function constant(
  device: Backend,
  data: ArrayLike<number>,
  shape: readonly number[] = [data.length],
  options: CreateOptions & NonFiniteOptions = {},
): Tensor {
  checkOptions('constant', options, numberRanges)
  const { dtype = 'f32' } = options
  checkElements('constant', data, shape, dtype, options)
  const bytes = encodeElements(data, dtype)
  if (bytes.byteLength > maxConstantBytes) {
    throw new ShapeError(`constant: expected at most ${maxConstantBytes} bytes, got ${bytes.byteLength}; upload it with tensor()`)
  }
  return new Tensor(device, sharedSpec({ shape, dtype }), { kind: 'constant', bytes })
}

/**
 * Uploads elements that are already in the byte layout of `dtype`, as a checkpoint holds them; an odd number of half-width ones may
 * be followed by two bytes more. @throws {ShapeError} if the bytes are too few or too many @throws {ConfigError} if they are no bytes, or the dtype is none
 */
export function tensorFromBytes(device: Backend, bytes: Uint8Array, shape: readonly number[], dtype: DType): Tensor {
  checkArgument('tensorFromBytes', 'dtype', dtype, dtypeRange)
  checkShape('tensorFromBytes', shape)
  if (!(bytes instanceof Uint8Array)) throw new ConfigError(`tensorFromBytes: expected bytes as a Uint8Array, got ${show(bytes)}`)
  const expected = sizeOf(shape) * byteSize(dtype)
  if (bytes.byteLength !== expected && bytes.byteLength !== Math.ceil(expected / 4) * 4) {
    throw new ShapeError(`tensorFromBytes: expected ${expected} bytes for ${dtype}${shapeText(shape)}, got ${bytes.byteLength}`)
  }
  return new Tensor(device, sharedSpec({ shape, dtype }), { kind: 'storage', storage: device.uploadBytes(bytes, shape, dtype) })
}

/**
 * A tensor of one value; no memory is taken until something needs the elements. The value may be NaN or infinite where the dtype is real.
 * @throws {ShapeError} if the shape is none @throws {NumericError} unless the dtype holds the value @throws {ConfigError} if an option is none
 */
export function full(device: Backend, shape: readonly number[], value: number, options: CreateOptions = {}): Tensor {
  return filled('full', device, shape, value, options)
}

/** Zeros. @throws {ShapeError} if the shape is none @throws {ConfigError} if an option is none */
export function zeros(device: Backend, shape: readonly number[], options: CreateOptions = {}): Tensor {
  return filled('zeros', device, shape, 0, options)
}

/** Ones. @throws {ShapeError} if the shape is none @throws {ConfigError} if an option is none */
export function ones(device: Backend, shape: readonly number[], options: CreateOptions = {}): Tensor {
  return filled('ones', device, shape, 1, options)
}

function filled(where: string, device: Backend, shape: readonly number[], value: number, options: CreateOptions): Tensor {
  checkOptions(where, options, ranges)
  checkShape(where, shape)
  const { dtype = 'f32' } = options
  checkNumber(where, value, dtype)
  return scalar(device, value, dtype).expand(shape)
}

/**
 * `0, 1, …, n − 1`; no memory is taken until something needs the elements. Real dtypes round what they have no digits for: f32 from
 * 2²⁴ on, f16 from 2,048.
 * @throws {ShapeError} unless n is a whole number of 0 or more @throws {NumericError} if the dtype does not hold n − 1
 */
export function arange(device: Backend, n: number, options: CreateOptions = {}): Tensor {
  checkShape('arange', [n])
  checkOptions('arange', options, ranges)
  const { dtype = 'f32' } = options
  if (n === 0) return zeros(device, [0], { dtype })
  checkNumber('arange', n - 1, dtype)
  return counted(device, n, isFloat(dtype) || dtype === 'bf16' ? 'f32' : dtype).to(dtype)
}

/** Rows of 1,024, each of them 1,024 more than the one before. */
function counted(device: Backend, n: number, dtype: DType): Tensor {
  const row = maxConstantBytes / 4
  if (n <= row) return constant(device, Float64Array.from({ length: n }, (_, i) => i), [n], { dtype })
  const rows = Math.ceil(n / row)
  return counted(device, rows, dtype).mul(row).unsqueeze(1).add(counted(device, row, dtype)).reshape([rows * row]).slice(0, 0, n)
}

/** Where a random stream starts: the same seed and stream give the same numbers on every adapter, and on the CPU. */
export interface RandomOptions extends CreateOptions {
  /** A whole number in [0, 2⁵³). */
  readonly seed: number
  /** Which of a seed's independent streams, a whole number in [0, 2³²), 0 by default. */
  readonly stream?: number
}

const randomRanges = { ...ranges, seed: required(whole(0)), stream: whole(0, 2 ** 32 - 1) }

/**
 * Standard normal noise by counter-based Philox; see `philoxNormal` in `@antipode/core/random` for the same on the CPU.
 * @throws {ShapeError} if the shape is none @throws {DTypeError} unless the dtype is f32 or f16 @throws {ConfigError} if an option is none
 */
export function randn(device: Backend, shape: readonly number[], options: RandomOptions): Tensor {
  return drawn('randn', philoxNormal, device, shape, options)
}

/** Uniform noise in [0, 1) by counter-based Philox. Errors as {@link randn}. */
export function rand(device: Backend, shape: readonly number[], options: RandomOptions): Tensor {
  return drawn('rand', philoxUniform, device, shape, options)
}

function drawn(where: string, op: Op, device: Backend, shape: readonly number[], options: RandomOptions): Tensor {
  checkOptions(where, options, randomRanges)
  checkShape(where, shape)
  const { seed, stream = 0, dtype = 'f32' } = options
  const [low, high] = splitSeed(where, seed)
  const counter = constant(device, Uint32Array.of(low, high, checkStream(where, stream), 0), [4], { dtype: 'u32' })
  return apply1(op, [counter], { shape, dtype })
}
