/** GPU time by kernel. */
export interface KernelTime {
  readonly label: string
  readonly dispatches: number
  readonly milliseconds: number
}

const capacity = 4096

/** Times each dispatch by GPU timestamps. While it is on, every dispatch is a pass of its own, which costs a little. */
export class Profiler {
  readonly #device: GPUDevice
  readonly #queries: GPUQuerySet
  readonly #resolved: GPUBuffer
  readonly #labels: string[] = []
  readonly #totals = new Map<string, { dispatches: number; nanoseconds: number }>()
  readonly #reads: Promise<void>[] = []

  constructor(device: GPUDevice) {
    this.#device = device
    this.#queries = device.createQuerySet({ type: 'timestamp', count: capacity })
    this.#resolved = device.createBuffer({ size: capacity * 8, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC })
  }

  /** Descriptor of the pass of one dispatch; dispatches beyond the capacity of one submission are not timed. */
  pass(label: string): GPUComputePassDescriptor {
    const index = this.#labels.length * 2
    if (index + 2 > capacity) return { label }
    this.#labels.push(label)
    return { label, timestampWrites: { querySet: this.#queries, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 } }
  }

  /** Ends the timing of one submission. */
  resolve(encoder: GPUCommandEncoder): void {
    const labels = this.#labels.splice(0)
    if (labels.length === 0) return
    const staging = this.#device.createBuffer({ size: labels.length * 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    encoder.resolveQuerySet(this.#queries, 0, labels.length * 2, this.#resolved, 0)
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, labels.length * 16)
    queueMicrotask(() => { this.#reads.push(this.#read(staging, labels)) })
  }

  async #read(staging: GPUBuffer, labels: readonly string[]): Promise<void> {
    await staging.mapAsync(GPUMapMode.READ)
    const times = new BigUint64Array(staging.getMappedRange())
    labels.forEach((label, i) => {
      const total = this.#totals.get(label) ?? { dispatches: 0, nanoseconds: 0 }
      total.dispatches++
      total.nanoseconds += Number((times[2 * i + 1] ?? 0n) - (times[2 * i] ?? 0n))
      this.#totals.set(label, total)
    })
    staging.destroy()
  }

  /** Time by kernel so far, longest first. */
  async report(): Promise<KernelTime[]> {
    await Promise.all(this.#reads.splice(0))
    return [...this.#totals]
      .map(([label, t]) => ({ label, dispatches: t.dispatches, milliseconds: t.nanoseconds / 1e6 }))
      .sort((a, b) => b.milliseconds - a.milliseconds)
  }

  destroy(): void {
    this.#queries.destroy()
    this.#resolved.destroy()
  }
}
