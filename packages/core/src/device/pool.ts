import { textureWidth } from '@antipode/kernels-wgsl'
import { OutOfMemoryError } from '../errors.ts'
import { sizeClass, type Slot, textureRows } from '../plan/index.ts'

/** What a kernel binds: a storage buffer, or a storage texture of four-vectors. */
export type Resource = GPUBuffer | GPUTexture

/** What may be held beyond what tensors and the largest plan take, as a share of that, and in bytes where that is little. */
const surplus = { share: 0.25, bytes: 2 ** 22 } as const

/** What waits for reuse, and when it began to. */
interface Waiting<R> {
  readonly resource: R
  readonly since: number
}

/**
 * Storage buffers and textures by size class. What is released waits for reuse, last in first out, so that a repeated run
 * is handed the same ones in the same order and its bind groups fit again. Together with what is in use it is at most a
 * quarter more than what tensors and the largest plan take, or 4 MiB: what has waited longest is destroyed.
 */
export class ResourcePool {
  readonly #device: GPUDevice
  readonly #buffers = new Map<number, Waiting<GPUBuffer>[]>()
  readonly #textures = new Map<number, Waiting<GPUTexture>[]>()
  #clock = 0
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

  /** What fills a slot of a plan; give it back by {@link releaseSlot}. */
  slot({ kind, bytes }: Slot): Resource {
    const resource = kind === 'buffer' ? this.buffer(bytes) : this.#take(this.#textures, bytes, () => this.#device.createTexture({
      label: `pool texture ${bytes}`,
      size: [textureWidth, textureRows(bytes)],
      format: 'rgba32float',
      usage: GPUTextureUsage.STORAGE_BINDING,
    }))
    this.#running += bytesOf(resource)
    return resource
  }

  releaseSlot(resource: Resource): void {
    this.#running -= bytesOf(resource)
    this.release(resource)
  }

  /** Notes that what fills a slot stays in use after the run, until it is released. */
  hold(resource: Resource): void {
    this.#running -= bytesOf(resource)
  }

  release(resource: Resource): void {
    const bytes = bytesOf(resource)
    this.live -= bytes
    this.pooled += bytes
    const since = this.#clock++
    if (isTexture(resource)) shelve(this.#textures, bytes, { resource, since })
    else shelve(this.#buffers, bytes, { resource, since })
    this.#fit(0)
  }

  /** Destroys what waits for reuse. */
  trim(): void {
    this.#destroy([...this.#buffers.values(), ...this.#textures.values()].flat().map(({ resource }) => resource))
    this.#buffers.clear()
    this.#textures.clear()
  }

  /** Destroys what has waited longest until so many more bytes fit. */
  #fit(more: number): void {
    const taken = Math.max(this.live - this.#running + this.planned, this.live + more)
    const limit = taken + Math.max(surplus.share * taken, surplus.bytes)
    let excess = this.live + this.pooled + more - limit
    const doomed: Resource[] = []
    while (excess > 0) {
      const shelves = [...this.#buffers.values(), ...this.#textures.values()].filter((s) => s.length > 0)
      const [first] = shelves
      if (!first) break
      const oldest = shelves.reduce((a, b) => ((b[0]?.since ?? 0) < (a[0]?.since ?? 0) ? b : a), first).shift()
      if (!oldest) break
      excess -= bytesOf(oldest.resource)
      doomed.push(oldest.resource)
    }
    this.#destroy(doomed)
  }

  #destroy(resources: readonly Resource[]): void {
    if (resources.length === 0) return
    this.onDestroy(new Set(resources))
    for (const resource of resources) {
      this.pooled -= bytesOf(resource)
      resource.destroy()
    }
  }

  #take<R extends Resource>(shelves: Map<number, Waiting<R>[]>, bytes: number, create: () => R): R {
    const waiting = shelves.get(bytes)?.pop()
    if (waiting) this.pooled -= bytes
    else {
      this.#fit(bytes)
      this.created++
    }
    this.live += bytes
    this.peak = Math.max(this.peak, this.live)
    return waiting?.resource ?? create()
  }
}

function shelve<R>(shelves: Map<number, Waiting<R>[]>, bytes: number, waiting: Waiting<R>): void {
  const shelf = shelves.get(bytes)
  if (shelf) shelf.push(waiting)
  else shelves.set(bytes, [waiting])
}

/** Whether a resource is a texture. */
export function isTexture(resource: Resource): resource is GPUTexture {
  return 'createView' in resource
}

function bytesOf(resource: Resource): number {
  return isTexture(resource) ? 16 * resource.width * resource.height : resource.size
}
