import type { Graph, Plan } from '../plan/index.ts'
import type { Storage } from '../graph/index.ts'
import type { Resource, ResourcePool } from './pool.ts'

interface Held {
  readonly storage: Storage
  readonly resource: Resource
  readonly end: () => void
}

/**
 * What a plan keeps from run to run: packed forms of leaves that have not changed, as a model's weights while it
 * samples. A leaf is taken for such a one when a second run finds it again; a sample that is another tensor each time
 * never is.
 */
export class PackedWeightCache {
  readonly #pool: ResourcePool
  readonly #slots: Plan['memory']['slots']
  readonly #held = new Map<number, Held>()
  readonly #met = new Map<number, Storage>()

  constructor(plan: Plan, pool: ResourcePool) {
    this.#slots = plan.memory.slots
    this.#pool = pool
  }

  /** What a slot holds already for the leaves of this graph. */
  of(slot: number, graph: Graph): Resource | undefined {
    const held = this.#held.get(slot)
    if (!held || held.storage === this.#storage(slot, graph)) return held?.resource
    this.#drop(slot)
    return undefined
  }

  /** Whether a slot, filled just now, is to be kept instead of going back to the pool. */
  take(slot: number, resource: Resource, graph: Graph): boolean {
    const storage = this.#storage(slot, graph)
    if (!storage || this.#held.has(slot)) return storage !== undefined
    if (this.#met.get(slot) !== storage) {
      this.#met.set(slot, storage)
      return false
    }
    this.#pool.hold(resource)
    this.#held.set(slot, { storage, resource, end: storage.watch(() => { this.#drop(slot) }) })
    return true
  }

  /** Gives everything back to the pool. */
  clear(): void {
    for (const slot of [...this.#held.keys()]) this.#drop(slot)
    this.#met.clear()
  }

  #storage(slot: number, graph: Graph): Storage | undefined {
    const leaf = this.#slots[slot]?.keep
    return leaf === undefined ? undefined : graph.leaves[leaf]?.storage
  }

  #drop(slot: number): void {
    const held = this.#held.get(slot)
    if (!held) return
    held.end()
    this.#held.delete(slot)
    this.#met.delete(slot)
    this.#pool.release(held.resource)
  }
}
