import { OutOfMemoryError } from '../errors.ts'
import { sizeClass } from '../plan/index.ts'

/**
 * Storage buffers by size class. Released buffers wait for reuse, last in first out, so that a repeated run is handed the
 * same buffers in the same order and its bind groups fit again.
 */
export class BufferPool {
  readonly #device: GPUDevice
  readonly #free = new Map<number, GPUBuffer[]>()
  /** Bytes in use. */
  live = 0
  /** Bytes waiting for reuse. */
  pooled = 0
  /** Largest `live` so far. */
  peak = 0
  /** Buffers ever created. */
  created = 0
  /** Called with a buffer that is about to be destroyed. */
  onDestroy: (buffer: GPUBuffer) => void = () => undefined

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** A buffer of at least this size. @throws {OutOfMemoryError} above the device's limit */
  acquire(bytes: number): GPUBuffer {
    const size = sizeClass(bytes)
    const limit = Math.min(this.#device.limits.maxBufferSize, this.#device.limits.maxStorageBufferBindingSize)
    if (size > limit) {
      throw new OutOfMemoryError(`allocate: expected at most ${limit} bytes in one tensor on this adapter, got ${bytes}; use smaller batches or f16`)
    }
    const waiting = this.#free.get(size)?.pop()
    if (waiting) this.pooled -= size
    else this.created++
    this.live += size
    this.peak = Math.max(this.peak, this.live)
    return waiting ?? this.#device.createBuffer({
      label: `pool ${size}`,
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    })
  }

  release(buffer: GPUBuffer): void {
    this.live -= buffer.size
    this.pooled += buffer.size
    const waiting = this.#free.get(buffer.size)
    if (waiting) waiting.push(buffer)
    else this.#free.set(buffer.size, [buffer])
  }

  /** Destroys what waits for reuse. */
  trim(): void {
    for (const waiting of this.#free.values()) {
      for (const buffer of waiting) {
        this.onDestroy(buffer)
        buffer.destroy()
      }
    }
    this.#free.clear()
    this.pooled = 0
  }
}
