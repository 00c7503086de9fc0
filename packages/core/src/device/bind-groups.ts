import { at } from '@antipode/kernels-wgsl'
import type { Plan, PlanBuffer } from '../plan/index.ts'
import { gpuLabel } from './gpu-label.ts'
import { isTexture, type Resource } from './pool.ts'

/**
 * Sets of resources remembered, and bind groups per dispatch: results rotate among a few buffers, as in a sampling
 * loop.
 */
const remembered = 8

/** All that a run works on, and the bind group of each dispatch. */
interface BoundSet {
  readonly resources: readonly Resource[]
  readonly groups: readonly GPUBindGroup[]
}

/** What a dispatch binds. */
interface Bound {
  readonly resources: readonly Resource[]
  readonly group: GPUBindGroup
}

/**
 * The bind groups of a plan's dispatches: a run that is handed the resources of an earlier one finds its groups again.
 */
export class BindGroups {
  readonly #device: GPUDevice
  readonly #plan: Plan
  readonly #pipelines: readonly GPUComputePipeline[]
  readonly #params: GPUBuffer
  readonly #positions: readonly number[]
  readonly #sets: BoundSet[] = []
  readonly #bound: readonly Bound[][]
  /** Ever made. */
  made = 0

  constructor(device: GPUDevice, plan: Plan, pipelines: readonly GPUComputePipeline[], params: GPUBuffer) {
    this.#device = device
    this.#plan = plan
    this.#pipelines = pipelines
    this.#params = params
    this.#positions = positionsOf(plan)
    this.#bound = plan.dispatches.map(() => [])
  }

  /** How many are kept, about. */
  get held(): number {
    return this.#bound.reduce((n, list) => n + list.length, 0)
  }

  /** Forgets all. */
  clear(): void {
    this.#sets.length = 0
    for (const list of this.#bound) list.length = 0
  }

  /** What stands for a buffer of the plan among the resources of a run: the parameter block, slots, results, leaves. */
  resource(resources: readonly Resource[], buffer: number): Resource {
    return at(resources, at(this.#positions, buffer))
  }

  /** The groups for these resources: a set seen before is found by one comparison, and the last found by the first. */
  of(resources: readonly Resource[]): readonly GPUBindGroup[] {
    const found = this.#sets.findIndex((s) => s.resources.every((r, i) => r === resources[i]))
    const set = this.#sets[found]
      ?? { resources, groups: this.#plan.dispatches.map((_, i) => this.#group(i, resources)) }
    if (found !== 0) {
      if (found > 0) this.#sets.splice(found, 1)
      this.#sets.unshift(set)
      if (this.#sets.length > remembered) this.#sets.pop()
    }
    return set.groups
  }

  /** Forgets those that hold what is about to be destroyed. */
  forget(doomed: ReadonlySet<Resource>): void {
    const stays = (b: { readonly resources: readonly Resource[] }): boolean => !b.resources.some((r) => doomed.has(r))
    const sets = this.#sets.filter(stays)
    // Bind groups of sets that were forgotten before are never found again, so they may stay.
    if (sets.length === this.#sets.length) return
    this.#sets.splice(0, this.#sets.length, ...sets)
    for (const list of this.#bound) list.splice(0, list.length, ...list.filter(stays))
  }

  #group(index: number, all: readonly Resource[]): GPUBindGroup {
    const { kernel, buffers, offset } = at(this.#plan.dispatches, index)
    const resources = buffers.map((id) => this.resource(all, id))
    const list = at(this.#bound, index)
    const known = list.find((b) => b.resources.every((x, k) => x === resources[k]))
    if (known) return known.group
    this.made++
    const bound = resources.map((r, k) => this.#binding(r, at(this.#plan.buffers, at(buffers, k))))
    const params = { buffer: this.#params, offset, size: Math.ceil(kernel.params.length / 4) * 16 }
    const group = this.#device.createBindGroup({
      label: gpuLabel(kernel.label),
      layout: at(this.#pipelines, index).getBindGroupLayout(0),
      entries: [params, ...bound].map((resource, binding) => ({ binding, resource })),
    })
    list.unshift({ resources, group })
    if (list.length > remembered) list.pop()
    return group
  }

  /** What a kernel binds: a part of a resource where the plan's buffer is one, or a constant in the parameter block. */
  #binding(resource: Resource, buffer: PlanBuffer): GPUBindingResource {
    if (isTexture(resource)) return resource.createView()
    if (buffer.kind !== 'part' && buffer.kind !== 'constant') return { buffer: resource }
    const offset = buffer.kind === 'part' ? buffer.offset : at(this.#plan.constantOffsets, buffer.index)
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
    if (results.has(id)) return 1 + slots.length + resultIds.indexOf(id)
    // What no dispatch binds has no slot, and is never asked for.
    return 1 + (slotOf[id] ?? Number.NaN)
  }
  return buffers.map((_, id) => positionOf(id))
}
