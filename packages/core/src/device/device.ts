import { at, type DType, type Target } from '@antipode/kernels-wgsl'
import { environment } from '#gpu'
import { ConfigError, DisposedError, UnsupportedError } from '../errors.ts'
import { type Backend, type Elements, type MemoryReport, type Storage, Tensor } from '../graph/index.ts'
import { encodeElements } from '../io/index.ts'
import { callable, checkArgument, show } from '../options/index.ts'
import { captureGraph, makePlan, type Plan } from '../plan/index.ts'
import type { GpuDevice } from '../webgpu-types.ts'
import type { AdapterDescription } from './adapter.ts'
import { Executor } from './executor.ts'
import { type Failures, watchFailures } from './failures.ts'
import type { DeviceOptions } from './options.ts'
import { ResourcePool } from './pool.ts'
import type { Profile } from './profile.ts'
import { Profiler } from './profiler.ts'
import { type OpenedDevice, openDevice } from './request.ts'
import { evaluateStepwise } from './stepwise.ts'
import { Transfer } from './transfer.ts'

/** How much work was done once, and how much is done again and again; a repeated graph must only raise `runs`. */
export interface DeviceCounters {
  readonly runs: number
  readonly plans: number
  readonly pipelines: number
  readonly bindGroups: number
  readonly buffers: number
}

/** Runs in flight before `evaluate` waits for the GPU. */
const maxInFlight = 2

/** A WebGPU device: runs graphs, owns memory. One API in Node (Dawn) and browsers. */
export class Device implements Backend, AsyncDisposable {
  /** The WebGPU device, for work outside this library. */
  readonly gpu: GpuDevice
  readonly adapter: AdapterDescription
  readonly target: Target
  /** As {@link DeviceOptions.checkFinite} says. */
  readonly checkFinite: boolean
  readonly #entry: GPU
  readonly #failures: Failures
  readonly #pool: ResourcePool
  readonly #executor: Executor
  readonly #transfer: Transfer
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(opened: OpenedDevice, { onCompile, checkFinite = checkedByEnvironment() }: DeviceOptions) {
    this.#entry = opened.entry
    this.gpu = opened.gpu
    this.adapter = opened.adapter
    this.target = opened.target
    this.checkFinite = checkFinite
    this.#failures = watchFailures(opened.gpu)
    this.#pool = new ResourcePool(opened.gpu)
    const executor = new Executor(opened, this.#pool, onCompile)
    this.#executor = executor
    this.#transfer = new Transfer(opened.gpu, this.#pool, this.#failures, () => executor.settle())
  }

  /**
   * Asks the host for a device with every feature and limit the adapter has.
   * @throws {UnsupportedError} if there is no WebGPU or no adapter; the message says what to install
   * @throws {ConfigError} if an option is none, or this user's tuning of the adapter is damaged; the message names its
   * file
   */
  static async request(options: DeviceOptions = {}): Promise<Device> {
    return new Device(await openDevice(options), options)
  }

  /**
   * Computes these tensors, together and in one go; what they already own is not computed again. Resolves once the
   * work is submitted (and, to bound memory, once all but the last two submissions are done).
   * @throws {DisposedError} if something needed was disposed @throws {DeviceLostError} @throws {OutOfMemoryError}
   * @throws {NumericError} if the device has `checkFinite` and an operation makes a NaN or an infinity
   */
  evaluate(tensors: readonly Tensor[]): Promise<void> {
    const run = this.#queue.then(() => this.#evaluate(tensors))
    this.#queue = run.catch(() => undefined)
    return run
  }

  async #evaluate(tensors: readonly Tensor[]): Promise<void> {
    this.#failures.check()
    const wanted = unevaluated(tensors)
    if (wanted.length === 0) return
    if (!this.checkFinite) return this.#evaluateTogether(wanted)
    // What together is refused is refused one by one too.
    this.plan(...wanted)
    await evaluateStepwise(wanted, {
      evaluate: (some) => this.#evaluateTogether(unevaluated(some)),
      read: (t) => {
        const { source } = t
        if (source.kind !== 'storage') throw new DisposedError('evaluate: a tensor was disposed while it was checked')
        return this.read(source.storage, t.dtype, t.size)
      },
    })
  }

  async #evaluateTogether(wanted: readonly Tensor[]): Promise<void> {
    if (wanted.length === 0) return
    const executor = this.#executor
    const graph = executor.during('plan', () => captureGraph(wanted))
    // Planning and compiling take time, in which the caller may dispose what the graph reads.
    for (const storage of graph.storages) storage.retain()
    // What was submitted before is waited for while this run keeps the GPU busy.
    const earlier = executor.pacer.pending >= maxInFlight ? executor.pacer.mark() : undefined
    try {
      for (const { coalesced } of graph.leaves) if (coalesced) this.#transfer.coalesce(coalesced)
      const results = await executor.run(graph, (buffer) => this.#transfer.storage(buffer))
      wanted.forEach((t, i) => {
        const storage = at(results, i)
        if (t.source.kind === 'disposed') storage.release()
        else t.realise(storage)
      })
    } finally {
      for (const storage of graph.storages) storage.release()
    }
    if (earlier) await executor.during('wait', earlier)
    this.#failures.check()
  }

  /** The plan these tensors would run by: its dispatches and peak bytes, without running it. */
  plan(...tensors: readonly Tensor[]): Plan {
    return makePlan(captureGraph(tensors.filter((t) => t.source.kind !== 'storage')), this.target)
  }

  /** @internal */
  upload(data: ArrayLike<number>, shape: readonly number[], dtype: DType): Storage {
    return this.uploadBytes(encodeElements(data, dtype), shape, dtype)
  }

  /** @internal */
  uploadBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Storage {
    return this.#transfer.upload(bytes, shape, dtype)
  }

  /** @internal */
  write(storage: Storage, bytes: Uint8Array): void {
    this.#transfer.write(storage, bytes)
  }

  /** @internal */
  read(storage: Storage, dtype: DType, size: number): Promise<Elements> {
    return this.#transfer.read(storage, dtype, size)
  }

  /** Waits until the GPU has done all that was submitted. */
  async sync(): Promise<void> {
    await this.#queue
    await this.#executor.settle()
    this.#failures.check()
  }

  memory(): MemoryReport {
    const { live, pooled, peak } = this.#pool
    return { live, pooled, peak, plans: this.#executor.planBytes, tensors: this.#transfer.tensors }
  }

  /** Starts measuring `memory().peak` anew from what is live now. */
  resetPeak(): void {
    this.#pool.peak = this.#pool.live
  }

  /** Gives pooled buffers back to the driver, and what plans keep packed. */
  trim(): void {
    this.#executor.trim()
  }

  counters(): DeviceCounters {
    return { ...this.#executor.counters, buffers: this.#pool.created }
  }

  /**
   * Runs `fn` with GPU timestamps on: every dispatch it submits, by kernel and one by one, and what the host did
   * meanwhile. Each dispatch is a pass of its own, so a profiled run is a little slower. Browsers round timestamps to
   * 0.1 ms or so.
   * @throws {UnsupportedError} if the adapter has no timestamps @throws {DisposedError} after the device was disposed
   */
  async profile<T>(fn: () => Promise<T>): Promise<Profile & { readonly result: T }> {
    checkArgument('profile', 'fn', fn, callable)
    this.#failures.check()
    if (!this.gpu.features.has('timestamp-query')) {
      throw new UnsupportedError('profile: this adapter has no GPU timestamps')
    }
    const profiler = new Profiler(this.gpu)
    this.#executor.profiler = profiler
    try {
      const result = await fn()
      await this.sync()
      return { result, ...(await profiler.report()) }
    } finally {
      this.#executor.profiler = undefined
      profiler.destroy()
    }
  }

  /** Frees everything. Tensors of the device must not be used afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue
    const message = 'device: expected a device in use, got one that was disposed; request a new Device'
    this.#failures.replace(new DisposedError(message))
    this.#executor.destroy()
    this.gpu.destroy()
    void this.#entry
  }
}

/** Whether the environment asks for `checkFinite`. */
function checkedByEnvironment(): boolean {
  return environment('ANTIPODE_CHECK_FINITE') === '1'
}

/** Those that do not own their values yet, each once. */
function unevaluated(tensors: readonly Tensor[]): Tensor[] {
  return [...new Set(tensors)].filter((t) => t.source.kind !== 'storage')
}

/**
 * Computes several tensors together; see {@link Device.evaluate}. @throws {ConfigError} if one is none, as an array of
 * them is
 */
export async function evaluate(...tensors: readonly Tensor[]): Promise<void> {
  for (const t of tensors) {
    if (t instanceof Tensor) continue
    throw new ConfigError(`evaluate: expected tensors, got ${show(t)}; spread a list of them`)
  }
  await tensors[0]?.device.evaluate(tensors)
}
