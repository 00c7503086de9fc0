import { at } from '@antipode/kernels-wgsl'
import type { Graph, Plan } from '../plan/index.ts'
import { BindGroups } from './bind-groups.ts'
import { gpuLabel } from './gpu-label.ts'
import type { Paced } from './pacer.ts'
import { PackedWeightCache } from './packed-weight-cache.ts'
import { ParameterBlock } from './parameter-block.ts'
import type { Resource, ResourcePool } from './pool.ts'
import type { CompileProgress, PipelineCache } from './pipelines.ts'
import type { Profiler } from './profiler.ts'

/** Bytes and floating-point operations of a dispatch that takes a software adapter about as long as its latency. */
const smallDispatch = 30_000

/**
 * Dispatches of the first submission of a long run, and how many times as many the next has: few enough that the GPU
 * never waits for the host (500 products of 16×16: 18.6 µs each, 21.4 in one submission, on two cores that are the GPU
 * too). Longer kernels on such cores wait for the host instead: all of a run is submitted at once (a DPO step on
 * digits: 84 ms, 91 in four submissions).
 */
const ahead = 16
const growth = 4

/** A buffer, and the byte at which a value begins in it. */
export interface Located {
  readonly buffer: GPUBuffer
  readonly offset: number
}

/** A plan, and where it is to run. */
interface Placement {
  readonly device: GPUDevice
  readonly plan: Plan
  readonly pool: ResourcePool
  /** Whether the device computes on the host's cores. */
  readonly software: boolean
}

/** A plan with its pipelines, parameter block and bind groups on one device: running it again only replays. */
export class PlanRunner implements Paced {
  readonly plan: Plan
  readonly #device: GPUDevice
  readonly #pipelines: readonly GPUComputePipeline[]
  readonly #params: ParameterBlock
  readonly #bindGroups: BindGroups
  readonly #pool: ResourcePool
  readonly #packedWeights: PackedWeightCache
  /** Whether its dispatches are so small that their own latency is most of their time. */
  readonly short: boolean
  readonly #ahead: number
  expected = 0

  private constructor({ device, plan, pool, software }: Placement, pipelines: readonly GPUComputePipeline[]) {
    this.plan = plan
    this.#pool = pool
    this.#packedWeights = new PackedWeightCache(plan, pool)
    this.#device = device
    const work = plan.dispatches.reduce((sum, { bytes, flops }) => sum + bytes + flops, 0)
    this.short = work < smallDispatch * plan.dispatches.length
    this.#ahead = software && !this.short ? Infinity : ahead
    this.#pipelines = pipelines
    this.#params = new ParameterBlock(device, plan)
    this.#bindGroups = new BindGroups(device, plan, pipelines, this.#params.buffer)
  }

  /** Compiles what is not compiled yet. */
  static async make(
    place: Placement, cache: PipelineCache, report: ((progress: CompileProgress) => void) | undefined,
  ): Promise<PlanRunner> {
    return new PlanRunner(place, await cache.of(place.plan.dispatches.map((d) => d.kernel), report))
  }

  /** Bytes of the parameter block. */
  get byteLength(): number {
    return this.#params.buffer.size
  }

  /** Its bind groups. */
  get bindGroups(): Pick<BindGroups, 'made' | 'held' | 'clear'> {
    return this.#bindGroups
  }

  /** Encodes and submits one run; returns where each output lies. */
  run(graph: Graph, profiler: Profiler | undefined): Located[] {
    const { plan } = this
    const pool = this.#pool
    const kept = plan.memory.slots.map((_, i) => this.#packedWeights.of(i, graph))
    const slots: Resource[] = []
    const results: GPUBuffer[] = []
    try {
      plan.memory.slots.forEach((slot, i) => { slots.push(kept[i] ?? pool.slot(slot)) })
      for (const bytes of plan.memory.results.values()) results.push(pool.buffer(bytes))
    } catch (error) {
      for (const buffer of results.reverse()) pool.release(buffer)
      for (const slot of slots.reverse()) if (!kept.includes(slot)) pool.releaseSlot(slot)
      throw error
    }
    const resources = [this.#params.buffer, ...slots, ...results, ...graph.leaves.map((l) => l.storage.buffer)]
    const groups = this.#bindGroups.of(resources)
    this.#params.write(graph)
    const due: number[] = []
    plan.dispatches.forEach(({ packs }, i) => {
      const packed = packs !== undefined && kept[at(plan.memory.slotOf, packs)] !== undefined
      if (!packed) due.push(i)
    })
    if (profiler) this.#submitTimed(due, groups, profiler)
    else this.#submit(due, groups)
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = at(slots, i)
      if (!this.#packedWeights.take(i, slot, graph)) pool.releaseSlot(slot)
    }
    for (const leaf of plan.overwritten) at(graph.leaves, leaf).storage.changed()
    // Textures live for one op and are never results.
    return plan.outputs.map((id) => {
      const described = at(plan.buffers, id)
      const buffer = this.#bindGroups.resource(resources, id) as GPUBuffer
      return { buffer, offset: described.kind === 'part' ? described.offset : 0 }
    })
  }

  /**
   * Encodes and submits the dispatches that are due, the first few ahead of the rest: the GPU computes while those are
   * encoded.
   */
  #submit(due: readonly number[], groups: readonly GPUBindGroup[]): void {
    const { dispatches } = this.plan
    for (let begin = 0, count = this.#ahead; begin < due.length; count *= growth) {
      // A few more are no reason for a submission of their own.
      const end = begin + 2 * count < due.length ? begin + count : due.length
      const encoder = this.#device.createCommandEncoder({ label: gpuLabel('plan') })
      const pass = encoder.beginComputePass()
      let current: GPUComputePipeline | undefined
      for (const i of due.slice(begin, end)) {
        const pipeline = at(this.#pipelines, i)
        if (pipeline !== current) pass.setPipeline(pipeline)
        current = pipeline
        pass.setBindGroup(0, at(groups, i))
        const [x, y, z] = at(dispatches, i).kernel.workgroups
        pass.dispatchWorkgroups(x, y, z)
      }
      pass.end()
      this.#device.queue.submit([encoder.finish()])
      begin = end
    }
  }

  /** The same in one submission, each dispatch in a pass that is timed. */
  #submitTimed(due: readonly number[], groups: readonly GPUBindGroup[], profiler: Profiler): void {
    const encoder = this.#device.createCommandEncoder({ label: gpuLabel('plan') })
    for (const i of due) {
      const d = at(this.plan.dispatches, i)
      const pass = encoder.beginComputePass(profiler.pass(d))
      pass.setPipeline(at(this.#pipelines, i))
      pass.setBindGroup(0, at(groups, i))
      pass.dispatchWorkgroups(...d.kernel.workgroups)
      pass.end()
    }
    const submitting = profiler.resolve(encoder)
    const commands = encoder.finish()
    submitting()
    this.#device.queue.submit([commands])
  }

  /** Forgets bind groups that hold what is about to be destroyed. */
  forget(doomed: ReadonlySet<Resource>): void {
    this.#bindGroups.forget(doomed)
  }

  /** Gives back what is kept from run to run. */
  release(): void {
    this.#packedWeights.clear()
  }

  destroy(): void {
    this.release()
    this.#params.buffer.destroy()
  }
}
