import type { Program } from './build.ts'

/** Which slot of memory each made buffer lives in. Slots are reused once their buffer's last reader has run. */
export interface MemoryPlan {
  /** Bytes of each slot. */
  readonly slots: readonly number[]
  /** Slot of each buffer of the program; undefined for those that exist before it runs and for its results. */
  readonly slotOf: readonly (number | undefined)[]
  /** Bytes of each result's own buffer, by buffer number. */
  readonly results: ReadonlyMap<number, number>
  /** Bytes alive at once while the plan runs, beyond its leaves. */
  readonly peakBytes: number
}

/**
 * Sizes in which the pool hands out memory: quarter steps between powers of two from 256 bytes up, so that at most a fifth
 * is wasted and buffers of nearly equal size can replace each other.
 */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256
  const step = 2 ** Math.max(6, Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}

/**
 * Gives every made buffer a slot, in order of first use: the smallest free slot that is large enough, else the largest
 * free one, enlarged, else a new one.
 */
export function assignMemory({ buffers, dispatches, outputs }: Program): MemoryPlan {
  const last = new Map<number, number>()
  dispatches.forEach((d, i) => { for (const b of d.buffers) last.set(b, i) })
  const results = new Map<number, number>()
  for (const id of outputs) {
    const buffer = buffers[id]
    if (buffer?.kind === 'made') results.set(id, sizeClass(buffer.bytes))
  }
  const slots: number[] = []
  const slotOf = new Array<number | undefined>(buffers.length).fill(undefined)
  const free = new Set<number>()
  dispatches.forEach((d, i) => {
    for (const id of d.buffers) {
      const buffer = buffers[id]
      if (buffer?.kind !== 'made' || results.has(id) || slotOf[id] !== undefined) continue
      const need = sizeClass(buffer.bytes)
      let best: number | undefined
      for (const s of free) {
        const size = slots[s] ?? 0
        const bestSize = best === undefined ? undefined : slots[best] ?? 0
        if (bestSize === undefined || (size >= need ? bestSize < need || size < bestSize : bestSize < need && size > bestSize)) best = s
      }
      if (best === undefined) best = slots.push(need) - 1
      else {
        free.delete(best)
        slots[best] = Math.max(slots[best] ?? 0, need)
      }
      slotOf[id] = best
    }
    for (const id of new Set(d.buffers)) {
      const slot = slotOf[id]
      if (slot !== undefined && last.get(id) === i) free.add(slot)
    }
  })
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((a, b) => a + b, 0)
  return { slots, slotOf, results, peakBytes: sum(slots) + sum(results.values()) }
}
