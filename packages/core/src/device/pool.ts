import { at, textureWidth } from '@antipode/kernels-wgsl'
import { OutOfMemoryError } from '../errors.ts'
import { lastingClass, sizeClass, type Slot, textureRows } from '../plan/index.ts'
import { gpuLabel } from './gpu-label.ts'

/** What a kernel binds: a storage buffer, or a storage texture of four-vectors. */
export type Resource = GPUBuffer | GPUTexture

/** What may be held beyond what tensors and the largest plan take, as a share of that, and in bytes where that is little. */
const surplus = { share: 0.25, bytes: 2 ** 22 } as const

/** What waits for reuse, and when it began to. */
interface Waiting<R> {
  readonly resource: R
  readonly since: number
}

/** What is of one kind and size: where it waits, and what it is counted with; a driver takes longer to tell its size. */
interface Shelf<R> {
  readonly bytes: number
  readonly waiting: Waiting<R>[]
}

/**
 * Storage buffers and textures by size class. What is released waits for reuse, last in first out, so that a repeated run
 * is handed the same ones in the same order and its bind groups fit again. Together with what is in use it is at most a
 * quarter more than what tensors and the largest plan take, or 4 MiB: what has waited longest is destroyed.
 */
export class ResourcePool {
  readonly #device: GPUDevice
  readonly #largest: number
  readonly #buffers = new Map<number, Shelf<GPUBuffer>>()
  readonly #textures = new Map<number, Shelf<GPUTexture>>()
  /** The shelf of each buffer and texture that exists. */
  readonly #shelves = new Map<Resource, Shelf<Resource>>()
  #clock = 0
  /** Bytes destroyed that the driver may still hold. */
  #doomed = 0
  /** Bytes in use by the plan that runs, but for its results. */
  #running = 0
  /** Bytes that the largest plan takes beyond its leaves. */
  planned = 0
  /** Bytes in use. */
  live = 0
  /** Bytes waiting for reuse. */
  pooled = 0
  /** Largest `live` so far. */
  peak = 0
  /** Buffers and textures ever created. */
  created = 0
  /** Called with what is about to be destroyed. */
  onDestroy: (resources: ReadonlySet<Resource>) => void = () => undefined

  constructor(device: GPUDevice) {
    this.#device = device
    this.#largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize)
  }

  /** @throws {OutOfMemoryError} if no buffer of this size can be had on this adapter */
  expectFit(bytes: number): void {
    if (sizeClass(bytes) > this.#largest) throw tooLarge(bytes, this.#largest)
  }

  /** @throws {OutOfMemoryError} if no kernel can bind so much of a buffer */
  expectBinding(bytes: number): void {
    if (bytes > this.#largest) throw tooLarge(bytes, this.#largest)
  }

  /** A buffer of at least this size. @throws {OutOfMemoryError} above the device's limit */
  buffer(bytes: number): GPUBuffer {
    this.expectFit(bytes)
    return this.#bufferOf(sizeClass(bytes))
  }

  /**
   * A buffer for what stays, as weights do: of this size, if it is large, where classes would take an eighth more. Parts of it are
   * bound where it may not be bound whole. @throws {OutOfMemoryError} above the device's limit
   */
  lasting(bytes: number): GPUBuffer {
    const { maxBufferSize } = this.#device.limits
    if (bytes > maxBufferSize) throw tooLarge(bytes, maxBufferSize)
    return this.#bufferOf(lastingClass(bytes))
  }

  #bufferOf(size: number): GPUBuffer {
    return this.#take(this.#buffers, size, () => this.#device.createBuffer({
      label: gpuLabel(`pool ${size}`),
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }))
  }

  /** What fills a slot of a plan; give it back by {@link releaseSlot}. */
  slot({ kind, bytes }: Slot): Resource {
    const resource = kind === 'buffer' ? this.buffer(bytes) : this.#take(this.#textures, bytes, () => this.#device.createTexture({
      label: gpuLabel(`pool texture ${bytes}`),
      size: [textureWidth, textureRows(bytes)],
      format: 'rgba32float',
      usage: GPUTextureUsage.STORAGE_BINDING,
    }))
    this.#running += this.#shelf(resource).bytes
    return resource
  }

  releaseSlot(resource: Resource): void {
    this.hold(resource)
    this.release(resource)
  }

  /** Notes that what fills a slot stays in use after the run, until it is released. */
  hold(resource: Resource): void {
    this.#running -= this.#shelf(resource).bytes
  }

  release(resource: Resource): void {
    const { bytes, waiting } = this.#shelf(resource)
    this.live -= bytes
    this.pooled += bytes
    waiting.push({ resource, since: this.#clock++ })
    this.#fit(0)
  }

  /** Destroys what waits for reuse. */
  trim(): void {
    this.#destroy(this.#filled().flatMap(({ waiting }) => waiting.splice(0).map(({ resource }) => resource)))
  }

  /** Destroys what has waited longest until so many more bytes fit. */
  #fit(more: number): void {
    const taken = Math.max(this.live - this.#running + this.planned, this.live + more)
    const limit = taken + Math.max(surplus.share * taken, surplus.bytes)
    let excess = this.live + this.pooled + more - limit
    const doomed: Resource[] = []
    while (excess > 0) {
      const [first, ...others] = this.#filled()
      if (!first) break
      const { bytes, waiting } = others.reduce((a, b) => (at(b.waiting, 0).since < at(a.waiting, 0).since ? b : a), first)
      excess -= bytes
      doomed.push(...waiting.splice(0, 1).map(({ resource }) => resource))
    }
    this.#destroy(doomed)
  }

  /** Shelves on which something waits. */
  #filled(): Shelf<Resource>[] {
    return [...this.#buffers.values(), ...this.#textures.values()].filter((s) => s.waiting.length > 0)
  }

  #destroy(resources: readonly Resource[]): void {
    if (resources.length === 0) return
    this.onDestroy(new Set(resources))
    if (this.#doomed === 0) queueMicrotask(() => { this.#flush() })
    for (const resource of resources) {
      const { bytes } = this.#shelf(resource)
      this.pooled -= bytes
      this.#doomed += bytes
      this.#shelves.delete(resource)
      resource.destroy()
    }
  }

  /**
   * Has the driver free what was destroyed: Dawn does so once a later submission is done, and a program that only drops
   * its tensors makes none (the weights of Stable Diffusion, loaded and dropped three times, were held thrice).
   */
  #flush(): void {
    const much = this.#doomed > surplus.bytes
    this.#doomed = 0
    if (!much) return
    const { queue } = this.#device
    queue.submit([this.#device.createCommandEncoder({ label: gpuLabel('flush') }).finish()])
    // Waited for, as Dawn in Node looks for ended work only while somebody waits; a lost device has freed all.
    void queue.onSubmittedWorkDone().catch(() => undefined)
  }

  #take<R extends Resource>(shelves: Map<number, Shelf<R>>, bytes: number, create: () => R): R {
    const shelf = shelves.get(bytes) ?? { bytes, waiting: [] }
    shelves.set(bytes, shelf)
    const waiting = shelf.waiting.pop()
    if (waiting) this.pooled -= bytes
    else {
      this.#fit(bytes)
      this.created++
    }
    this.live += bytes
    this.peak = Math.max(this.peak, this.live)
    if (waiting) return waiting.resource
    const made = create()
    this.#shelves.set(made, shelf)
    return made
  }

  #shelf(resource: Resource): Shelf<Resource> {
    return this.#shelves.get(resource) as Shelf<Resource> // the pool made it
  }
}

function tooLarge(bytes: number, most: number): OutOfMemoryError {
  return new OutOfMemoryError(`allocate: expected at most ${most} bytes in one tensor on this adapter, got ${bytes}; use smaller batches or f16`)
}

/** Whether a resource is a texture. */
export function isTexture(resource: Resource): resource is GPUTexture {
  return 'createView' in resource
}
