import { type DType, sizeOf, type Target, tuningTable } from '@antipode/kernels-wgsl'
import { DisposedError } from '../errors.ts'
import { type Elements, type MemoryReport, Storage, type Tensor, type Backend } from '../graph/index.ts'
import { decodeElements, encodeElements } from '../io/index.ts'
import { captureGraph, makePlan, passesOf, type Plan, printPasses } from '../plan/index.ts'
import { constantData, nodesOf, referenceValues } from './reference-values.ts'

/** A GPU with everything, for planning without one. */
export const gpuTarget: Target = { kind: 'gpu', f16: true, subgroupSize: 32, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.gpu }

/** A host with no GPU: it keeps what is uploaded, plans graphs, and computes them by the references of their ops. */
export class FakeHost implements Backend {
  readonly target: Target
  readonly #values = new Map<Storage, { dtype: DType; bytes: Uint8Array; size: number }>()

  constructor(target: Target = gpuTarget) {
    this.target = target
  }

  plan(...tensors: readonly Tensor[]): Plan {
    return makePlan(captureGraph(tensors), this.target)
  }

  /** What each pass of the planner makes of the graph of these tensors, as text. */
  printPlan(...tensors: readonly Tensor[]): string {
    return printPasses(passesOf(captureGraph(tensors), this.target))
  }

  upload(data: ArrayLike<number>, shape: readonly number[], dtype: DType): Storage {
    return this.uploadBytes(encodeElements(data, dtype), shape, dtype)
  }

  uploadBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Storage {
    const storage: Storage = new Storage({ size: bytes.byteLength } as GPUBuffer, bytes.byteLength, () => undefined, () => { this.#values.delete(storage) })
    this.#values.set(storage, { dtype, bytes: bytes.slice(), size: sizeOf(shape) })
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

  /** Computes in float64 and stores what the dtypes hold; what updates overwrite has its old value until all is computed. */
  async evaluate(tensors: readonly Tensor[]): Promise<void> {
    const wanted = tensors.filter((t) => t.source.kind !== 'storage')
    const updates = nodesOf(wanted).flatMap(({ op, inputs, outputs }) => (op.inplace ?? []).map(
      (k, output) => [inputs[k ?? -1], outputs[output] as Tensor] as const,
    ))
    const values = referenceValues([...wanted, ...updates.map(([, after]) => after)], () => undefined, (t) => {
      const data = t.source.kind === 'storage' ? this.valuesOf(t.source.storage) : constantData(t)
      if (data) return data
      throw new DisposedError(`FakeHost: expected tensors that have a value, got ${t.toString()}`)
    })
    updates.forEach(([before], i) => { if (before) this.#overwrite(before, values[wanted.length + i] as Float64Array) })
    wanted.forEach((t, i) => { t.realise(this.upload(values[i] as Float64Array, t.shape, t.dtype)) })
  }

  /** Writes to where a tensor lies, or to those that it lays out; what else is computed has no place of its own. */
  #overwrite({ source, dtype }: Tensor, values: Float64Array): void {
    if (source.kind === 'storage') this.write(source.storage, encodeElements(values, dtype))
    if (source.kind !== 'node') return
    const { op, inputs, attrs } = source.node
    const starts = op.offsetsInOutput?.(inputs, attrs) ?? []
    starts.forEach((start, k) => {
      const t = inputs[k] as Tensor
      this.#overwrite(t, values.subarray(start, start + t.size))
    })
  }

  memory(): MemoryReport {
    return { live: 0, pooled: 0, peak: 0, plans: 0, tensors: this.#values.size }
  }
}
