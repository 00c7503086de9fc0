import { byteSize, type DType, sizeOf } from '@antipode/kernels-wgsl'
import { DeviceLostError, ShapeError } from '../errors.ts'
import { type Elements, Storage } from '../graph/index.ts'
import { decodeElements } from '../io/index.ts'
import type { Coalesced } from '../plan/index.ts'
import type { Failures } from './failures.ts'
import { gpuLabel } from './gpu-label.ts'
import type { ResourcePool } from './pool.ts'

/** Moves elements between the host and the GPU, and from buffer to buffer. */
export class Transfer {
  readonly #device: GPUDevice
  readonly #pool: ResourcePool
  readonly #failures: Failures
  readonly #settle: () => Promise<void>
  #tensors = 0

  /** @param settle waits for the GPU */
  constructor(device: GPUDevice, pool: ResourcePool, failures: Failures, settle: () => Promise<void>) {
    this.#device = device
    this.#pool = pool
    this.#failures = failures
    this.#settle = settle
  }

  /** Tensors that own a buffer. */
  get tensors(): number {
    return this.#tensors
  }

  /** The storage of a tensor, which gives its buffer back to the pool in the end. */
  storage(buffer: GPUBuffer): Storage {
    this.#tensors++
    return new Storage(buffer, buffer.size, (b) => { this.#pool.release(b) }, () => { this.#tensors-- })
  }

  /** @throws {ShapeError} if the bytes are too few or too many @throws {OutOfMemoryError} if no buffer is so large */
  upload(bytes: Uint8Array, shape: readonly number[], dtype: DType): Storage {
    this.#failures.check()
    const expected = sizeOf(shape) * byteSize(dtype)
    // Half-width elements may come padded to whole words.
    if (bytes.byteLength !== expected && bytes.byteLength !== wholeWords(expected)) {
      const what = `${dtype}[${shape.join(',')}]`
      throw new ShapeError(`upload: expected ${expected} bytes for ${what}, got ${bytes.byteLength}`)
    }
    const storage = this.storage(this.#pool.lasting(expected))
    this.write(storage, bytes)
    return storage
  }

  write(storage: Storage, bytes: Uint8Array): void {
    this.#failures.check()
    let padded = bytes
    if (bytes.byteLength % 4 !== 0) {
      padded = new Uint8Array(wholeWords(bytes.byteLength))
      padded.set(bytes)
    }
    storage.changed()
    this.#device.queue.writeBuffer(storage.buffer, storage.offset, padded as Uint8Array<ArrayBuffer>)
  }

  /** @throws {DeviceLostError} if the GPU stops meanwhile */
  async read(storage: Storage, dtype: DType, size: number): Promise<Elements> {
    this.#failures.check()
    const bytes = Math.max(4, wholeWords(size * byteSize(dtype)))
    const staging = this.#device.createBuffer({
      label: gpuLabel('readback'), size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    })
    const encoder = this.#device.createCommandEncoder({ label: gpuLabel('readback') })
    encoder.copyBufferToBuffer(storage.buffer, storage.offset, staging, 0, bytes)
    this.#device.queue.submit([encoder.finish()])
    await this.#settle()
    try {
      await staging.mapAsync(GPUMapMode.READ)
    } catch (cause) {
      staging.destroy()
      this.#failures.check()
      const message = 'data: the GPU stopped before the result could be read; request a new Device'
      throw new DeviceLostError(message, { cause })
    }
    const out = decodeElements(staging.getMappedRange().slice(0), dtype, size)
    staging.destroy()
    this.#failures.check()
    return out
  }

  /**
   * Moves storages that a graph reads or overwrites as one into one buffer, zeros between them, unless they lie there.
   */
  coalesce({ byteLength, parts }: Coalesced): void {
    const whole = parts[0]?.storage.whole
    const lies = parts.every(({ storage, offset }) => storage.whole === whole && storage.offset === offset)
    if (lies && whole?.byteLength === byteLength) return
    const buffer = this.#pool.lasting(byteLength)
    const moved = new Storage(buffer, byteLength, (b) => { this.#pool.release(b) })
    const encoder = this.#device.createCommandEncoder({ label: gpuLabel('coalesce') })
    encoder.clearBuffer(buffer)
    for (const { storage, offset, byteLength: bytes } of parts) {
      encoder.copyBufferToBuffer(storage.buffer, storage.offset, buffer, offset, bytes)
    }
    this.#device.queue.submit([encoder.finish()])
    for (const { storage, offset } of parts) storage.moveInto(moved, offset)
    moved.release()
  }
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / 4) * 4
}
