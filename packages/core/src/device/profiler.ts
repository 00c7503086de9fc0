import type { Dispatch } from '../plan/index.ts'
import { gpuLabel } from './gpu-label.ts'
import { byKernel, type HostSpan, onHostClock, type Profile, type TimedRun } from './profile.ts'

/** Timestamps that WebGPU lets one query set hold. */
const capacity = 4096
const bytesEach = 8

/** A query set, and where its timestamps are resolved. */
interface Stopwatch {
  readonly queries: GPUQuerySet
  readonly resolved: GPUBuffer
}

/**
 * Times each dispatch by GPU timestamps. While it is on, every dispatch is a pass of its own, which costs a little. A
 * submission takes as many query sets as it needs, so that none of its dispatches is left out.
 */
export class Profiler {
  readonly #device: GPUDevice
  readonly #stopwatches: Stopwatch[] = []
  readonly #passes: Dispatch[] = []
  readonly #runs: Promise<TimedRun>[] = []
  readonly #host: HostSpan[] = []
  /** Timestamps count from the first one read: nanoseconds since 1970, say, are more than a double holds. */
  #origin: bigint | undefined

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** Descriptor of the pass of one dispatch. */
  pass(dispatch: Dispatch): GPUComputePassDescriptor {
    const index = 2 * (this.#passes.push(dispatch) - 1)
    const { queries } = this.#stopwatches[Math.floor(index / capacity)] ?? this.#stopwatch()
    const at = index % capacity
    return { label: gpuLabel(dispatch.kernel.label), timestampWrites: { querySet: queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 } }
  }

  /** Ends the timing of one submission. Returns what is to be called just before it is submitted. */
  resolve(encoder: GPUCommandEncoder): () => void {
    const passes = this.#passes.splice(0)
    if (passes.length === 0) return () => undefined
    const staging = this.#device.createBuffer({ label: gpuLabel('timestamps'), size: 2 * passes.length * bytesEach, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    for (let first = 0; first < 2 * passes.length; first += capacity) {
      const { queries, resolved } = this.#stopwatches[first / capacity] as Stopwatch
      const count = Math.min(capacity, 2 * passes.length - first)
      encoder.resolveQuerySet(queries, 0, count, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, staging, first * bytesEach, count * bytesEach)
    }
    return () => {
      const submitted = performance.now()
      // Reading starts once the submission is made; a lost device fails it, and is reported where it is awaited.
      const run = Promise.resolve().then(() => this.#read(staging, passes, submitted))
      run.catch(() => undefined)
      this.#runs.push(run)
    }
  }

  /** Does some work of the host, waiting included, and notes when. */
  during<T>(phase: HostSpan['phase'], work: () => T): T {
    const begin = performance.now()
    const note = (): void => { this.#host.push({ phase, begin, end: performance.now() }) }
    const result = work()
    // A promise's `finally` settles as the promise itself does.
    if (result instanceof Promise) return result.finally(note) as T
    note()
    return result
  }

  /** All that was timed. */
  async report(): Promise<Profile> {
    const dispatches = onHostClock(await Promise.all(this.#runs))
    return { kernels: byKernel(dispatches), dispatches, host: this.#host }
  }

  destroy(): void {
    for (const { queries, resolved } of this.#stopwatches) {
      queries.destroy()
      resolved.destroy()
    }
  }

  #stopwatch(): Stopwatch {
    const made = {
      queries: this.#device.createQuerySet({ label: gpuLabel('profile'), type: 'timestamp', count: capacity }),
      resolved: this.#device.createBuffer({ label: gpuLabel('profile'), size: capacity * bytesEach, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
    }
    this.#stopwatches.push(made)
    return made
  }

  async #read(staging: GPUBuffer, passes: readonly Dispatch[], submitted: number): Promise<TimedRun> {
    await staging.mapAsync(GPUMapMode.READ)
    const times = new BigUint64Array(staging.getMappedRange())
    const origin = this.#origin ??= times[0] ?? 0n
    const milliseconds = (i: number): number => Number((times[i] ?? origin) - origin) / 1e6
    const dispatches = passes.map(({ kernel, flops, bytes }, i) =>
      ({ label: kernel.label, begin: milliseconds(2 * i), end: milliseconds(2 * i + 1), flops, bytes }))
    staging.destroy()
    return { submitted, dispatches }
  }
}
