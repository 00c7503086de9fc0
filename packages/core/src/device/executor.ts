import { collectGarbage } from '#gpu'
import { at } from '@antipode/kernels-wgsl'
import { OutOfMemoryError } from '../errors.ts'
import type { Storage } from '../graph/index.ts'
import { type Graph, makePlan, type Plan } from '../plan/index.ts'
import type { OpenedDevice } from './request.ts'
import type { DeviceOptions } from './options.ts'
import { Pacer } from './pacer.ts'
import { PipelineCache } from './pipelines.ts'
import type { ResourcePool } from './pool.ts'
import type { HostSpan } from './profile.ts'
import type { Profiler } from './profiler.ts'
import { PlanRunner } from './runner.ts'

/** Plans kept; a program has few structures, and each holds some 100 kB. */
const maxPlans = 256

/**
 * Bind groups that plans keep between them, and so many made since the collector ran that it runs again. On lavapipe each is a
 * mapping of the process, of which Linux allows 65,530 (vm.max_map_count): one more, and the driver crashes.
 */
const maxBindGroups = 4096

/** Runs graphs by plans: a graph of a structure that was met before only replays its plan. */
export class Executor {
  readonly #opened: OpenedDevice
  readonly #pool: ResourcePool
  readonly #onCompile: DeviceOptions['onCompile']
  readonly #pipelines: PipelineCache
  /** By the structure's key; the first is the one unused for longest. */
  readonly #runners = new Map<string, PlanRunner>()
  readonly pacer: Pacer
  /** Takes a record of what is done, while there is one. */
  profiler: Profiler | undefined
  #runs = 0
  #plans = 0
  #droppedBindGroups = 0
  #uncollected = 0

  constructor(opened: OpenedDevice, pool: ResourcePool, onCompile: DeviceOptions['onCompile']) {
    this.#opened = opened
    this.#pool = pool
    this.#onCompile = onCompile
    this.#pipelines = new PipelineCache(opened.gpu)
    this.pacer = new Pacer(opened.gpu.queue, opened.adapter.software && typeof process !== 'undefined')
    pool.onDestroy = (doomed) => { for (const r of this.#runners.values()) r.forget(doomed) }
  }

  /** Work done so far. */
  get counters(): Readonly<Record<'runs' | 'plans' | 'pipelines' | 'bindGroups', number>> {
    const bindGroups = [...this.#runners.values()].reduce((n, r) => n + r.bindGroups.made, this.#droppedBindGroups)
    return { runs: this.#runs, plans: this.#plans, pipelines: this.#pipelines.size, bindGroups }
  }

  /** Bytes of the parameter blocks of all plans. */
  get planBytes(): number {
    return [...this.#runners.values()].reduce((n, r) => n + r.byteLength, 0)
  }

  /** Waits for the GPU. */
  settle(): Promise<void> {
    return this.during('wait', () => this.pacer.settle())
  }

  /** Does some work of the host, on the record of a profile if one is taken. */
  during<T>(phase: HostSpan['phase'], work: () => T): T {
    return this.profiler ? this.profiler.during(phase, work) : work()
  }

  /**
   * Submits a graph; the storage of each output is its own, by `storageOf`, or that of the operand it overwrote.
   * @throws {OutOfMemoryError} if the plan does not fit
   */
  async run(graph: Graph, storageOf: (buffer: GPUBuffer) => Storage): Promise<Storage[]> {
    const known = this.#runners.get(graph.key)
    const plan = (): Plan => this.#fitting(makePlan(graph, this.#opened.target))
    const runner = known ?? await this.#prepare(this.during('plan', plan))
    this.#runners.delete(graph.key)
    this.#runners.set(graph.key, runner)
    if (!known) this.#pool.planned = Math.max(...[...this.#runners.values()].map((r) => r.plan.peakBytes))
    if (this.pacer.alternates(runner)) await this.settle()
    if (!known) this.#opened.gpu.pushErrorScope('out-of-memory')
    const { made } = runner.bindGroups
    const located = this.during('encode', () => runner.run(graph, this.profiler))
    if (runner.bindGroups.made > made) this.#limitBindGroups(runner.bindGroups.made - made)
    this.pacer.submitted(runner)
    this.#runs++
    const written = new Map(runner.plan.overwritten.map((leaf) => {
      const { storage } = at(graph.leaves, leaf)
      return [storage.buffer, storage]
    }))
    const results = located.map(({ buffer, offset }) => {
      const overwritten = written.get(buffer)
      return (overwritten?.whole?.part(offset) ?? overwritten)?.retain() ?? storageOf(buffer)
    })
    const error = known ? null : await this.#opened.gpu.popErrorScope()
    if (!error) return results
    for (const storage of results) storage.release()
    this.trim()
    const { peakBytes } = runner.plan
    throw new OutOfMemoryError(
      `evaluate: the plan needs ${peakBytes} bytes at once: ${error.message}; use smaller batches, f16 or checkpoint()`,
    )
  }

  /** Gives pooled buffers back to the driver, and what plans keep packed. */
  trim(): void {
    for (const r of this.#runners.values()) r.release()
    this.#pool.trim()
  }

  destroy(): void {
    for (const r of this.#runners.values()) r.destroy()
    this.#runners.clear()
    this.#pool.trim()
  }

  /** Has plans that ran longest ago forget theirs where there are too many, and the collector free what was forgotten. */
  #limitBindGroups(made: number): void {
    let held = [...this.#runners.values()].reduce((n, r) => n + r.bindGroups.held, 0)
    for (const { bindGroups } of [...this.#runners.values()].slice(0, -1)) {
      if (held <= maxBindGroups) break
      held -= bindGroups.held
      bindGroups.clear()
    }
    this.#uncollected += made
    if (this.#uncollected < maxBindGroups) return
    this.#uncollected = 0
    collectGarbage()
  }

  /** A plan whose buffers the adapter has, before anything is compiled for it. @throws {OutOfMemoryError} */
  #fitting(plan: Plan): Plan {
    const { slots, results } = plan.memory
    for (const { kind, bytes } of slots) if (kind === 'buffer') this.#pool.expectFit(bytes)
    for (const bytes of results.values()) this.#pool.expectFit(bytes)
    // What was uploaded may be larger than what is bound of it.
    for (const { buffers } of plan.dispatches) {
      for (const id of buffers) if (at(plan.buffers, id).kind === 'leaf') this.#pool.expectBinding(at(plan.buffers, id).bytes)
    }
    return plan
  }

  async #prepare(plan: Plan): Promise<PlanRunner> {
    const { gpu: device, adapter: { software } } = this.#opened
    const place = { device, plan, pool: this.#pool, software }
    const runner = await this.during('compile', () => PlanRunner.make(place, this.#pipelines, this.#onCompile))
    this.#plans++
    const [oldest] = this.#runners
    if (oldest && this.#runners.size >= maxPlans) {
      const [key, dropped] = oldest
      this.#droppedBindGroups += dropped.bindGroups.made
      dropped.destroy()
      this.#runners.delete(key)
    }
    return runner
  }
}
