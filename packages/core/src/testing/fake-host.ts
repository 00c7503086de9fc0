import { type DType, sizeOf, type Target, variantTable } from '@antipode/kernels-wgsl'
import { DisposedError } from '../errors.ts'
import { type Elements, type MemoryReport, Storage, type Tensor, type TensorHost } from '../graph/index.ts'
import { decodeElements, encodeElements } from '../io/index.ts'
import { makePlan, type Plan, walk } from '../plan/index.ts'

/** A GPU with everything, for planning without one. */
export const gpuTarget: Target = { kind: 'gpu', f16: true, subgroupSize: 32, textureRows: 0, matrices: false, workgroupBytes: 32_768, variants: variantTable.gpu }

/** A host with no GPU: it keeps what is uploaded, plans graphs, and cannot run them. */
export class FakeHost implements TensorHost {
  readonly target: Target
  readonly #values = new Map<Storage, { dtype: DType; bytes: Uint8Array; size: number }>()

  constructor(target: Target = gpuTarget) {
    this.target = target
  }

  plan(...tensors: readonly Tensor[]): Plan {
    return makePlan(walk(tensors), this.target)
  }

  upload(data: ArrayLike<number>, shape: readonly number[], dtype: DType): Storage {
    return this.uploadBytes(encodeElements(data, dtype), shape, dtype)
  }

  uploadBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Storage {
    const storage: Storage = new Storage({ size: bytes.byteLength } as GPUBuffer, bytes.byteLength, () => undefined, () => { this.#values.delete(storage) })
    this.#values.set(storage, { dtype, bytes, size: sizeOf(shape) })
    return storage
  }

  /** The numbers that were uploaded, as their dtype holds them. */
  valuesOf(storage: Storage): Elements {
    const known = this.#values.get(storage)
    if (!known) throw new DisposedError('FakeHost: expected a tensor that owns its value, got one that was disposed')
    return decodeElements(known.bytes.slice().buffer, known.dtype, known.size)
  }

  read(storage: Storage): Promise<Elements> {
    return Promise.resolve(this.valuesOf(storage))
  }

  write(storage: Storage, bytes: Uint8Array): void {
    const known = this.#values.get(storage)
    if (known) known.bytes = bytes
  }

  evaluate(tensors: readonly Tensor[]): Promise<void> {
    return tensors.every((t) => t.source.kind === 'storage')
      ? Promise.resolve()
      : Promise.reject(new DisposedError('FakeHost: expected tensors that own their values, got some to compute; use interpret()'))
  }

  memory(): MemoryReport {
    return { live: 0, pooled: 0, peak: 0, plans: 0, tensors: this.#values.size }
  }
}
