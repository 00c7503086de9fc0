import { adapterClass, byteSize, type DType, matrixFeature, multipliesMatrices, sizeOf, type Target, variantTable } from '@antipode/kernels-wgsl'
import { environment, gpu } from '#gpu'
import { ConfigError, DeviceLostError, DisposedError, OutOfMemoryError, ShapeError, UnsupportedError } from '../errors.ts'
import { type Elements, type MemoryReport, Storage, Tensor, type TensorHost } from '../graph/index.ts'
import { decodeElements, encodeElements } from '../io/index.ts'
import { callable, checkArgument, show } from '../options/index.ts'
import { type Graph, makePlan, type Plan, type Together, walk } from '../plan/index.ts'
import { checkDeviceOptions, type DeviceOptions } from './options.ts'
import { ours, watchFailures } from './ours.ts'
import { PipelineCache } from './pipelines.ts'
import { Pacer } from './pacer.ts'
import { ResourcePool } from './pool.ts'
import type { HostSpan, Profile } from './profile.ts'
import { Profiler } from './profiler.ts'
import { PlanRunner } from './runner.ts'
import { evaluateStepwise } from './stepwise.ts'
import { type AdapterDescription, nameOf } from './adapter.ts'
import { tunedVariants } from './tuning.ts'

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
/** Plans kept; a program has few structures, and each holds some 100 kB. */
const maxPlans = 256

/** A WebGPU device: runs graphs, owns memory. One API in Node (Dawn) and browsers. */
export class Device implements TensorHost, AsyncDisposable {
  /** The WebGPU device, for work outside this library. */
  readonly gpu: GPUDevice
  readonly adapter: AdapterDescription
  readonly target: Target
  /** As {@link DeviceOptions.checkFinite} says. */
  readonly checkFinite: boolean
  readonly #entry: GPU
  readonly #pool: ResourcePool
  readonly #pipelines: PipelineCache
  readonly #onCompile: DeviceOptions['onCompile']
  readonly #runners = new Map<string, PlanRunner>()
  readonly #pacer: Pacer
  #queue: Promise<unknown> = Promise.resolve()
  #failure: Error | undefined
  #profiler: Profiler | undefined
  #runs = 0
  #planned = 0
  #droppedBindGroups = 0
  #tensors = 0

  /** Not made by the constructor, whose closures hold the device that it makes. */
  static readonly #failed = (device: Device, error: Error): void => { device.#failure ??= error }

  private constructor(entry: GPU, device: GPUDevice, adapter: AdapterDescription, target: Target, { onCompile, checkFinite = environment('ANTIPODE_CHECK_FINITE') === '1' }: DeviceOptions) {
    this.#onCompile = onCompile
    this.checkFinite = checkFinite
    this.#entry = entry
    this.gpu = device
    this.adapter = adapter
    this.target = target
    this.#pool = new ResourcePool(device)
    this.#pool.onDestroy = (doomed) => { for (const r of this.#runners.values()) r.forget(doomed) }
    this.#pipelines = new PipelineCache(device)
    this.#pacer = new Pacer(device.queue, adapter.software && typeof process !== 'undefined')
    watchFailures(device, new WeakRef(this), Device.#failed)
  }

  /**
   * Asks the host for a device with every feature and limit the adapter has.
   * @throws {UnsupportedError} if there is no WebGPU or no adapter; the message says what to install
   * @throws {ConfigError} if an option is none, or this user's tuning of the adapter is damaged; the message names its file
   */
  static async request(options: DeviceOptions = {}): Promise<Device> {
    checkDeviceOptions(options)
    const { powerPreference, flags = [], variants = 'tuned', signal } = options
    signal?.throwIfAborted()
    const entry = await gpu(flags)
    const adapter = await entry.requestAdapter(powerPreference ? { powerPreference } : {})
    if (!adapter) {
      throw new UnsupportedError(
        'Device.request: no WebGPU adapter was found; install a Vulkan, Metal or D3D12 driver, ' +
        'or Mesa 25 or newer (lavapipe) to compute on the CPU: `antipode doctor` says how',
      )
    }
    const wanted = ['shader-f16', 'subgroups', 'timestamp-query', matrixFeature] as GPUFeatureName[] // with one that only Dawn knows
    const { info, limits } = adapter
    const row = variantTable[adapterClass(nameOf(info))]
    const chosen = variants === 'tuned' ? await tunedVariants(nameOf(info), row) : variants === 'built-in' ? row : variants
    const device = await adapter.requestDevice({
      requiredFeatures: wanted.filter((f) => adapter.features.has(f)),
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxTextureDimension2D: limits.maxTextureDimension2D,
      },
    })
    const software = row.adapter !== 'gpu'
    const lanes = info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMaxSize : 0
    return new Device(
      entry,
      device,
      { vendor: info.vendor, architecture: info.architecture, device: info.device, description: info.description, software },
      {
        kind: software ? 'software' : 'gpu',
        f16: device.features.has('shader-f16'),
        subgroupSize: device.features.has('subgroups') ? lanes : 0,
        textureRows: chosen.packing && entry.wgslLanguageFeatures.has('readonly_and_readwrite_storage_textures') ? device.limits.maxTextureDimension2D : 0,
        matrices: multipliesMatrices(device.features, info),
        workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
        variants: chosen,
      },
      options,
    )
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
    this.#check()
    const wanted = [...new Set(tensors)].filter((t) => t.source.kind !== 'storage')
    if (wanted.length === 0) return
    if (!this.checkFinite) return this.#evaluateTogether(wanted)
    // What together is refused is refused one by one too.
    this.plan(...wanted)
    await evaluateStepwise(wanted, {
      evaluate: (some) => this.#evaluateTogether([...new Set(some)].filter((t) => t.source.kind !== 'storage')),
      read: (t) => this.read((t.source as Extract<Tensor['source'], { kind: 'storage' }>).storage, t.dtype, t.size), // evaluated
    })
  }

  async #evaluateTogether(wanted: readonly Tensor[]): Promise<void> {
    if (wanted.length === 0) return
    const graph = this.#during('plan', () => walk(wanted))
    // Planning and compiling take time, in which the caller may dispose what the graph reads.
    for (const storage of graph.storages) storage.retain()
    // What was submitted before is waited for while this run keeps the GPU busy.
    const earlier = this.#pacer.pending >= maxInFlight ? this.#pacer.mark() : undefined
    try {
      for (const { together } of graph.leaves) if (together) this.#lay(together)
      const results = await this.#run(graph)
      wanted.forEach((t, i) => {
        const storage = results[i] as Storage
        if (t.source.kind === 'disposed') storage.release()
        else t.realise(storage)
      })
    } finally {
      for (const storage of graph.storages) storage.release()
    }
    if (earlier) await this.#during('wait', earlier)
    this.#check()
  }

  /** Submits a graph; the storage of each output is its own, or that of the operand it overwrote. */
  async #run(graph: Graph): Promise<Storage[]> {
    const known = this.#runners.get(graph.key)
    const runner = known ?? await this.#prepare(this.#during('plan', () => this.#fitting(makePlan(graph, this.target))))
    // Set anew, so that the first is the one unused for longest.
    this.#runners.delete(graph.key)
    this.#runners.set(graph.key, runner)
    if (!known) this.#pool.planned = Math.max(...[...this.#runners.values()].map((r) => r.plan.peakBytes))
    if (this.#pacer.alternates(runner)) await this.#settle()
    if (!known) this.gpu.pushErrorScope('out-of-memory')
    const located = this.#during('encode', () => runner.run(graph, this.#profiler))
    this.#pacer.submitted(runner)
    this.#runs++
    const written = new Map(runner.plan.overwritten.map((leaf) => {
      const { storage } = graph.leaves[leaf] as Graph['leaves'][number]
      return [storage.buffer, storage]
    }))
    const results = located.map(({ buffer, offset }) => {
      const overwritten = written.get(buffer)
      return (overwritten?.whole?.part(offset) ?? overwritten)?.retain() ?? this.#storage(buffer)
    })
    const error = known ? null : await this.gpu.popErrorScope()
    if (!error) return results
    for (const storage of results) storage.release()
    this.trim()
    throw new OutOfMemoryError(`evaluate: the plan needs ${runner.plan.peakBytes} bytes at once: ${error.message}; use smaller batches, f16 or checkpoint()`)
  }

  /** A plan whose buffers the adapter has, before anything is compiled for it. @throws {OutOfMemoryError} */
  #fitting(plan: Plan): Plan {
    const { slots, results } = plan.memory
    for (const { kind, bytes } of slots) if (kind === 'buffer') this.#pool.expectFit(bytes)
    for (const bytes of results.values()) this.#pool.expectFit(bytes)
    return plan
  }

  async #prepare(plan: Plan): Promise<PlanRunner> {
    const runner = await this.#during('compile', () => PlanRunner.make({ device: this.gpu, plan, pool: this.#pool, software: this.adapter.software }, this.#pipelines, this.#onCompile))
    this.#planned++
    if (this.#runners.size >= maxPlans) {
      const [oldest] = this.#runners
      if (oldest) {
        this.#droppedBindGroups += oldest[1].bindGroups
        oldest[1].destroy()
        this.#runners.delete(oldest[0])
      }
    }
    return runner
  }

  /** The plan these tensors would run by: its dispatches and peak bytes, without running it. */
  plan(...tensors: readonly Tensor[]): Plan {
    return makePlan(walk(tensors.filter((t) => t.source.kind !== 'storage')), this.target)
  }

  /** Waits for the GPU. */
  #settle(): Promise<void> {
    return this.#during('wait', () => this.#pacer.settle())
  }

  /** Does some work of the host, on the record of a profile if one is taken. */
  #during<T>(phase: HostSpan['phase'], work: () => T): T {
    return this.#profiler ? this.#profiler.during(phase, work) : work()
  }

  #check(): void {
    if (this.#failure) throw this.#failure
  }

  #storage(buffer: GPUBuffer): Storage {
    this.#tensors++
    return new Storage(buffer, buffer.size, (b) => { this.#pool.release(b) }, () => { this.#tensors-- })
  }

  /** Moves what belongs together into one buffer, with zeros between, unless it lies there. */
  #lay({ byteLength, parts }: Together): void {
    const whole = parts[0]?.storage.whole
    if (whole?.byteLength === byteLength && parts.every(({ storage, offset }) => storage.whole === whole && storage.offset === offset)) return
    const buffer = this.#pool.buffer(byteLength)
    const moved = new Storage(buffer, byteLength, (b) => { this.#pool.release(b) })
    const encoder = this.gpu.createCommandEncoder({ label: ours('laying together') })
    encoder.clearBuffer(buffer)
    for (const { storage, offset, byteLength: bytes } of parts) encoder.copyBufferToBuffer(storage.buffer, storage.offset, buffer, offset, bytes)
    this.gpu.queue.submit([encoder.finish()])
    for (const { storage, offset } of parts) storage.moveInto(moved, offset)
    moved.release()
  }

  /** @internal */
  upload(data: ArrayLike<number>, shape: readonly number[], dtype: DType): Storage {
    return this.uploadBytes(encodeElements(data, dtype), shape, dtype)
  }

  /** @internal */
  uploadBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Storage {
    this.#check()
    const expected = sizeOf(shape) * byteSize(dtype)
    // Half-width elements may come padded to whole words.
    if (bytes.byteLength !== expected && bytes.byteLength !== Math.ceil(expected / 4) * 4) {
      throw new ShapeError(`upload: expected ${expected} bytes for ${dtype}[${shape.join(',')}], got ${bytes.byteLength}`)
    }
    const storage = this.#storage(this.#pool.buffer(expected))
    this.write(storage, bytes)
    return storage
  }

  /** @internal */
  write(storage: Storage, bytes: Uint8Array): void {
    this.#check()
    const whole = bytes.byteLength % 4 === 0 ? bytes : Uint8Array.from({ length: Math.ceil(bytes.byteLength / 4) * 4 }, (_, i) => bytes[i] ?? 0)
    storage.changed()
    this.gpu.queue.writeBuffer(storage.buffer, storage.offset, whole as Uint8Array<ArrayBuffer>)
  }

  /** @internal */
  async read(storage: Storage, dtype: DType, size: number): Promise<Elements> {
    this.#check()
    const bytes = Math.max(4, Math.ceil(size * byteSize(dtype) / 4) * 4)
    const staging = this.gpu.createBuffer({ label: ours('readback'), size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    const encoder = this.gpu.createCommandEncoder({ label: ours('readback') })
    encoder.copyBufferToBuffer(storage.buffer, storage.offset, staging, 0, bytes)
    this.gpu.queue.submit([encoder.finish()])
    await this.#settle()
    try {
      await staging.mapAsync(GPUMapMode.READ)
    } catch (cause) {
      staging.destroy()
      this.#check()
      throw new DeviceLostError('data: the GPU stopped before the result could be read; request a new Device', { cause })
    }
    const out = decodeElements(staging.getMappedRange().slice(0), dtype, size)
    staging.destroy()
    this.#check()
    return out
  }

  /** Waits until the GPU has done all that was submitted. */
  async sync(): Promise<void> {
    await this.#queue
    await this.#settle()
    this.#check()
  }

  memory(): MemoryReport {
    const plans = [...this.#runners.values()].reduce((n, r) => n + r.byteLength, 0)
    return { live: this.#pool.live, pooled: this.#pool.pooled, peak: this.#pool.peak, plans, tensors: this.#tensors }
  }

  /** Starts measuring `memory().peak` anew from what is live now. */
  resetPeak(): void {
    this.#pool.peak = this.#pool.live
  }

  /** Gives pooled buffers back to the driver, and what plans keep packed. */
  trim(): void {
    for (const r of this.#runners.values()) r.release()
    this.#pool.trim()
  }

  counters(): DeviceCounters {
    const bindGroups = [...this.#runners.values()].reduce((n, r) => n + r.bindGroups, this.#droppedBindGroups)
    return { runs: this.#runs, plans: this.#planned, pipelines: this.#pipelines.size, bindGroups, buffers: this.#pool.created }
  }

  /**
   * Runs `fn` with GPU timestamps on: every dispatch it submits, by kernel and one by one, and what the host did meanwhile.
   * Each dispatch is a pass of its own, so a profiled run is a little slower. Browsers round timestamps to 0.1 ms or so.
   * @throws {UnsupportedError} if the adapter has no timestamps @throws {DisposedError} after the device was disposed
   */
  async profile<T>(fn: () => Promise<T>): Promise<Profile & { readonly result: T }> {
    checkArgument('profile', 'fn', fn, callable)
    this.#check()
    if (!this.gpu.features.has('timestamp-query')) throw new UnsupportedError('profile: this adapter has no GPU timestamps')
    const profiler = new Profiler(this.gpu)
    this.#profiler = profiler
    try {
      const result = await fn()
      await this.sync()
      return { result, ...(await profiler.report()) }
    } finally {
      this.#profiler = undefined
      profiler.destroy()
    }
  }

  /** Frees everything. Tensors of the device must not be used afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue
    this.#failure = new DisposedError('device: expected a device in use, got one that was disposed; request a new Device')
    for (const r of this.#runners.values()) r.destroy()
    this.#runners.clear()
    this.#pool.trim()
    this.gpu.destroy()
    void this.#entry
  }
}

/** Computes several tensors together; see {@link Device.evaluate}. @throws {ConfigError} if one is none, as an array of them is */
export async function evaluate(...tensors: readonly Tensor[]): Promise<void> {
  for (const t of tensors) if (!(t instanceof Tensor)) throw new ConfigError(`evaluate: expected tensors, got ${show(t)}; spread a list of them`)
  await tensors[0]?.device.evaluate(tensors)
}
