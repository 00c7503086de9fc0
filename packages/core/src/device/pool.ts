import { textureWidth } from '@antipode/kernels-wgsl'
import { OutOfMemoryError } from '../errors.ts'
import { sizeClass, type Slot, textureRows } from '../plan/index.ts'

/** What a kernel binds: a storage buffer, or a storage texture of four-vectors. */
export type Resource = GPUBuffer | GPUTexture

/**
 * Storage buffers and textures by size class. What is released waits for reuse, last in first out, so that a repeated run
 * is handed the same ones in the same order and its bind groups fit again.
 */
export class ResourcePool {
  readonly #device: GPUDevice
  readonly #buffers = new Map<number, GPUBuffer[]>()
  readonly #textures = new Map<number, GPUTexture[]>()
  /** Bytes in use. */
  live = 0
  /** Bytes waiting for reuse. */
  pooled = 0
  /** Largest `live` so far. */
  peak = 0
  /** Buffers and textures ever created. */
  created = 0
  /** Called with what is about to be destroyed. */
  onDestroy: (resource: Resource) => void = () => undefined

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** A buffer of at least this size. @throws {OutOfMemoryError} above the device's limit */
  buffer(bytes: number): GPUBuffer {
    const size = sizeClass(bytes)
    const limit = Math.min(this.#device.limits.maxBufferSize, this.#device.limits.maxStorageBufferBindingSize)
    if (size > limit) {
      throw new OutOfMemoryError(`allocate: expected at most ${limit} bytes in one tensor on this adapter, got ${bytes}; use smaller batches or f16`)
    }
    return this.#take(this.#buffers, size, () => this.#device.createBuffer({
      label: `pool ${size}`,
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }))
  }

  /** What fills a slot of a plan. */
  slot({ kind, bytes }: Slot): Resource {
    return kind === 'buffer' ? this.buffer(bytes) : this.#take(this.#textures, bytes, () => this.#device.createTexture({
      label: `pool texture ${bytes}`,
      size: [textureWidth, textureRows(bytes)],
      format: 'rgba32float',
      usage: GPUTextureUsage.STORAGE_BINDING,
    }))
  }

  release(resource: Resource): void {
    const bytes = bytesOf(resource)
    this.live -= bytes
    this.pooled += bytes
    if (isTexture(resource)) shelve(this.#textures, bytes, resource)
    else shelve(this.#buffers, bytes, resource)
  }

  /** Destroys what waits for reuse. */
  trim(): void {
    for (const waiting of [...this.#buffers.values(), ...this.#textures.values()]) {
      for (const resource of waiting) {
        this.onDestroy(resource)
        resource.destroy()
      }
    }
    this.#buffers.clear()
    this.#textures.clear()
    this.pooled = 0
  }

  #take<R extends Resource>(shelves: Map<number, R[]>, bytes: number, create: () => R): R {
    const waiting = shelves.get(bytes)?.pop()
    if (waiting) this.pooled -= bytes
    else this.created++
    this.live += bytes
    this.peak = Math.max(this.peak, this.live)
    return waiting ?? create()
  }
}

function shelve<R>(shelves: Map<number, R[]>, bytes: number, resource: R): void {
  const waiting = shelves.get(bytes)
  if (waiting) waiting.push(resource)
  else shelves.set(bytes, [resource])
}

/** Whether a resource is a texture. */
export function isTexture(resource: Resource): resource is GPUTexture {
  return 'createView' in resource
}

function bytesOf(resource: Resource): number {
  return isTexture(resource) ? 16 * resource.width * resource.height : resource.size
}
