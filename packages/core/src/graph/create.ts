import { type DType, philoxNormal, philoxUniform, shapeText, sizeOf } from '@antipode/kernels-wgsl'
import { NumericError, ShapeError } from '../errors.ts'
import { encodeElements } from '../io/index.ts'
import { checkStream, splitSeed } from '../random/index.ts'
import type { TensorHost } from './host.ts'
import { sharedSpec } from './node.ts'
import { apply1, scalar, Tensor } from './tensor.ts'

/** Element type of a new tensor, f32 by default. */
export interface CreateOptions {
  readonly dtype?: DType
}

/**
 * Uploads numbers. @throws {ShapeError} if their count differs from the shape's @throws {NumericError} on NaN or infinity
 * unless `allowNonFinite`
 */
export function tensor(
  device: TensorHost,
  data: ArrayLike<number>,
  shape: readonly number[] = [data.length],
  { dtype = 'f32', allowNonFinite = false }: CreateOptions & { readonly allowNonFinite?: boolean } = {},
): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`tensor: expected ${sizeOf(shape)} numbers for shape ${shapeText(shape)}, got ${data.length}`)
  }
  if (!allowNonFinite) {
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(data[i])) {
        throw new NumericError(
          `tensor: expected finite numbers, got ${data[i]} at index ${i}; clean the data or pass allowNonFinite`,
          { where: `element ${i}` },
        )
      }
    }
  }
  return new Tensor(device, sharedSpec({ shape, dtype }), { kind: 'storage', storage: device.upload(data, shape, dtype) })
}

/** Constants larger than this belong in memory: they travel to the GPU with every run. */
const maxConstantBytes = 4096

/**
 * A few numbers that belong to the graph: timesteps of a batch, seeds, coefficients. They own no GPU memory and need no
 * disposal, and changing them recompiles nothing. @throws {ShapeError} above 4,096 bytes
 */
export function constant(device: TensorHost, data: ArrayLike<number>, shape: readonly number[] = [data.length], { dtype = 'f32' }: CreateOptions = {}): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`constant: expected ${sizeOf(shape)} numbers for shape ${shapeText(shape)}, got ${data.length}`)
  }
  const bytes = encodeElements(data, dtype)
  if (bytes.byteLength > maxConstantBytes) {
    throw new ShapeError(`constant: expected at most ${maxConstantBytes} bytes, got ${bytes.byteLength}; upload it with tensor()`)
  }
  return new Tensor(device, sharedSpec({ shape, dtype }), { kind: 'constant', bytes })
}

/** Uploads elements that are already in the byte layout of `dtype`, as a checkpoint holds them. */
export function tensorFromBytes(device: TensorHost, bytes: Uint8Array, shape: readonly number[], dtype: DType): Tensor {
  return new Tensor(device, sharedSpec({ shape, dtype }), { kind: 'storage', storage: device.uploadBytes(bytes, shape, dtype) })
}

/** A tensor of one value; no memory is taken until something needs the elements. */
export function full(device: TensorHost, shape: readonly number[], value: number, { dtype = 'f32' }: CreateOptions = {}): Tensor {
  return scalar(device, value, dtype).expand(shape)
}

/** Zeros. */
export function zeros(device: TensorHost, shape: readonly number[], options?: CreateOptions): Tensor {
  return full(device, shape, 0, options)
}

/** Ones. */
export function ones(device: TensorHost, shape: readonly number[], options?: CreateOptions): Tensor {
  return full(device, shape, 1, options)
}

/** `0, 1, …, n − 1`. */
export function arange(device: TensorHost, n: number, options?: CreateOptions): Tensor {
  return tensor(device, Float32Array.from({ length: n }, (_, i) => i), [n], options)
}

/** Where a random stream starts: the same seed and stream give the same numbers on every adapter, and on the CPU. */
export interface RandomOptions extends CreateOptions {
  readonly seed: number
  /** Which of a seed's independent streams, 0 by default. */
  readonly stream?: number
}

/** Standard normal noise by counter-based Philox; see `philoxNormal` in `@antipode/core/random` for the same on the CPU. */
export function randn(device: TensorHost, shape: readonly number[], { seed, stream = 0, dtype = 'f32' }: RandomOptions): Tensor {
  return apply1(philoxNormal, [counter(device, seed, stream)], { shape, dtype })
}

/** Uniform noise in [0, 1) by counter-based Philox. */
export function rand(device: TensorHost, shape: readonly number[], { seed, stream = 0, dtype = 'f32' }: RandomOptions): Tensor {
  return apply1(philoxUniform, [counter(device, seed, stream)], { shape, dtype })
}

function counter(device: TensorHost, seed: number, stream: number): Tensor {
  const [low, high] = splitSeed('randn', seed)
  return constant(device, Uint32Array.of(low, high, checkStream('randn', stream), 0), [4], { dtype: 'u32' })
}
