import { at } from '@antipode/kernels-wgsl'
import type { Graph, Plan, PlanBuffer } from '../plan/index.ts'
import { gpuLabel } from './gpu-label.ts'
import type { Paced } from './pacer.ts'
import { PackedWeightCache } from './packed-weight-cache.ts'
import { isTexture, type Resource, type ResourcePool } from './pool.ts'
import type { CompileProgress, PipelineCache } from './pipelines.ts'
import type { Profiler } from './profiler.ts'

/**
 * Sets of resources remembered, and bind groups per dispatch: results rotate among a few buffers, as in a sampling
 * loop.
 */
const remembered = 8

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

/** All that a run works on, and the bind group of each dispatch. */
interface BoundSet {
  readonly resources: readonly Resource[]
  readonly groups: readonly GPUBindGroup[]
}

/** A plan, and where it is to run. */
interface Place {
  readonly device: GPUDevice
  readonly plan: Plan
  readonly pool: ResourcePool
  /** Whether the device computes on the host's cores. */
  readonly software: boolean
}

interface Bound {
  readonly resources: readonly Resource[]
  readonly group: GPUBindGroup
}

/** A plan with its pipelines, parameter block and bind groups on one device: running it again only replays. */
export class PlanRunner implements Paced {
  readonly plan: Plan
  readonly #device: GPUDevice
  readonly #pipelines: readonly GPUComputePipeline[]
  readonly #params: GPUBuffer
  readonly #mirror: Uint32Array<ArrayBuffer>
  readonly #bytes: Uint8Array
  readonly #positions: readonly number[]
  readonly #bound: Bound[][]
  readonly #sets: BoundSet[] = []
  readonly #pool: ResourcePool
  readonly #packedWeights: PackedWeightCache
  /** Whether its dispatches are so small that their own latency is most of their time. */
  readonly short: boolean
  readonly #ahead: number
  expected = 0
  #fresh = true
  /** Bind groups ever made. */
  bindGroups = 0

  private constructor({ device, plan, pool, software }: Place, pipelines: readonly GPUComputePipeline[]) {
    this.plan = plan
    this.#pool = pool
    this.#packedWeights = new PackedWeightCache(plan, pool)
    this.#device = device
    const work = plan.dispatches.reduce((sum, { bytes, flops }) => sum + bytes + flops, 0)
    this.short = work < smallDispatch * plan.dispatches.length
    this.#ahead = software && !this.short ? Infinity : ahead
    this.#pipelines = pipelines
    this.#mirror = plan.words.slice()
    this.#bytes = new Uint8Array(this.#mirror.buffer)
    this.#positions = positionsOf(plan)
    this.#bound = plan.dispatches.map(() => [])
    this.#params = device.createBuffer({
      label: gpuLabel('plan parameters'),
      size: Math.max(256, this.#mirror.byteLength),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    })
  }

  /** Compiles what is not compiled yet. */
  static async make(
    place: Place, cache: PipelineCache, report: ((progress: CompileProgress) => void) | undefined,
  ): Promise<PlanRunner> {
    return new PlanRunner(place, await cache.of(place.plan.dispatches.map((d) => d.kernel), report))
  }

  /** Bytes of the parameter block. */
  get byteLength(): number {
    return this.#params.size
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
    const resources = [this.#params, ...slots, ...results, ...graph.leaves.map((l) => l.storage.buffer)]
    const groups = this.#groupsFor(resources)
    this.#writeParams(graph)
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
      const buffer = at(resources, at(this.#positions, id)) as GPUBuffer
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
    const stays = (b: { readonly resources: readonly Resource[] }): boolean => !b.resources.some((r) => doomed.has(r))
    const sets = this.#sets.filter(stays)
    // Bind groups of sets that were forgotten before are never found again, so they may stay.
    if (sets.length === this.#sets.length) return
    this.#sets.splice(0, this.#sets.length, ...sets)
    for (const list of this.#bound) list.splice(0, list.length, ...list.filter(stays))
  }

  /** Gives back what is kept from run to run. */
  release(): void {
    this.#packedWeights.clear()
  }

  destroy(): void {
    this.release()
    this.#params.destroy()
  }

  #writeParams(graph: Graph): void {
    // The words from `begin` to `end` have changed: a step's few numbers, not the whole block.
    let [begin, end] = this.#fresh ? [0, this.#mirror.length] : [Infinity, 0]
    for (const { word, scalar } of this.plan.scalarWords) {
      const bits = graph.scalars[scalar] as number // as many as the structure has
      if (this.#mirror[word] === bits) continue
      this.#mirror[word] = bits
      begin = Math.min(begin, word)
      end = Math.max(end, word + 1)
    }
    graph.constants.forEach((t, k) => {
      if (t.source.kind !== 'constant') return
      const offset = at(this.plan.constantOffsets, k)
      this.#bytes.set(t.source.bytes, offset)
      begin = Math.min(begin, offset / 4)
      end = Math.max(end, Math.ceil((offset + t.source.bytes.byteLength) / 4))
    })
    if (begin < end) this.#device.queue.writeBuffer(this.#params, 4 * begin, this.#mirror, begin, end - begin)
    this.#fresh = false
  }

  /**
   * The bind groups for these resources: a set seen before is found by one comparison, and the last found by the first.
   */
  #groupsFor(resources: readonly Resource[]): readonly GPUBindGroup[] {
    const found = this.#sets.findIndex((s) => s.resources.every((r, i) => r === resources[i]))
    const set = this.#sets[found] ?? {
      resources,
      groups: this.plan.dispatches.map((d, i) =>
        this.#bind(i, d.buffers.map((id) => at(resources, at(this.#positions, id))), d)),
    }
    if (found !== 0) {
      if (found > 0) this.#sets.splice(found, 1)
      this.#sets.unshift(set)
      if (this.#sets.length > remembered) this.#sets.pop()
    }
    return set.groups
  }

  #bind(index: number, resources: readonly Resource[], { kernel, buffers, offset }: Plan['dispatches'][number]): GPUBindGroup {
    const list = at(this.#bound, index)
    const known = list.find((b) => b.resources.every((x, k) => x === resources[k]))
    if (known) return known.group
    this.bindGroups++
    const group = this.#device.createBindGroup({
      label: gpuLabel(kernel.label),
      layout: at(this.#pipelines, index).getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: this.#params, offset, size: Math.ceil(kernel.params.length / 4) * 16 } },
        ...resources.map((r, k) => ({ binding: k + 1, resource: this.#binding(r, at(this.plan.buffers, at(buffers, k))) })),
      ],
    })
    list.unshift({ resources, group })
    if (list.length > remembered) list.pop()
    return group
  }

  /**
   * What a kernel binds of a resource: a part of it where the plan's buffer is one, or a constant in the parameter
   * block.
   */
  #binding(resource: Resource, buffer: PlanBuffer): GPUBindingResource {
    if (isTexture(resource)) return resource.createView()
    if (buffer.kind !== 'part' && buffer.kind !== 'constant') return { buffer: resource }
    const offset = buffer.kind === 'part' ? buffer.offset : at(this.plan.constantOffsets, buffer.index)
    return { buffer: resource, offset, size: Math.ceil(buffer.bytes / 16) * 16 }
  }
}

/**
 * Where each buffer of a plan is among what a run works on: the parameter block, the slots, the results, then the
 * leaves.
 */
function positionsOf({ buffers, memory: { slots, slotOf, results } }: Plan): number[] {
  const resultIds = [...results.keys()]
  const positionOf = (id: number): number => {
    const buffer = at(buffers, id)
    if (buffer.kind === 'constant') return 0
    if (buffer.kind === 'leaf') return 1 + slots.length + resultIds.length + buffer.index
    if (buffer.kind === 'part') return positionOf(buffer.of)
    const slot = slotOf[id]
    // What no dispatch binds has no slot, and is never asked for.
    return results.has(id) ? 1 + slots.length + resultIds.indexOf(id) : slot === undefined ? Number.NaN : 1 + slot
  }
  return buffers.map((_, id) => positionOf(id))
}
