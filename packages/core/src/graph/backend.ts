import type { DType, Target } from '@antipode/kernels-wgsl'
import type { Storage } from './storage.ts'

/** Elements as JavaScript sees them: f16 and bf16 are widened to f32. */
export type Elements = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>

/** Bytes of GPU memory, by what holds them. */
export interface MemoryReport {
  /** In use: tensors, and while a graph runs its intermediates. */
  readonly live: number
  /** Kept for reuse: at most a quarter of what tensors and the largest plan take, or 4 MiB. */
  readonly pooled: number
  /** Largest `live` since the device was made or `resetPeak` was called. */
  readonly peak: number
  /** Uniform blocks of cached plans. */
  readonly plans: number
  /** Tensors that own a buffer. */
  readonly tensors: number
}

/** What tensors need of the device they live on: memory, and someone who runs graphs. */
export interface GraphBackend<T> {
  readonly target: Target
  /** Whether it names the first operation that makes a NaN or an infinity; then nodes know where they were made. */
  readonly checkFinite?: boolean
  evaluate(tensors: readonly T[]): Promise<void>
  upload(data: ArrayLike<number>, shape: readonly number[], dtype: DType): Storage
  /** The bytes are copied at once: they are the caller's again when this returns. */
  uploadBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Storage
  write(storage: Storage, bytes: Uint8Array): void
  read(storage: Storage, dtype: DType, size: number): Promise<Elements>
  memory(): MemoryReport
}
