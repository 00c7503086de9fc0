import { textureWidth } from '@antipode/kernels-wgsl'
import type { Program } from './build.ts'

/** A place for one buffer or texture at a time: its kind, and its bytes by size class. */
export interface Slot {
  readonly kind: 'buffer' | 'texture'
  readonly bytes: number
  /** The leaf whose packed form has this place to itself, from run to run. */
  readonly keep?: number
}

/** Which slot of memory each made buffer lives in. Slots are reused once their buffer's last reader has run. */
export interface MemoryPlan {
  readonly slots: readonly Slot[]
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

const rowBytes = 16 * textureWidth

/** Bytes of a texture of so many rows. */
export function textureBytes(rows: number): number {
  return rows * rowBytes
}

/** Rows of a texture of the pool with these bytes. */
export function textureRows(bytes: number): number {
  return bytes / rowBytes
}

/** Bytes of the pool's texture that holds so many: {@link sizeClass} in whole rows. */
function textureClass(bytes: number): number {
  const rows = textureRows(bytes)
  const step = Math.max(1, 2 ** (Math.floor(Math.log2(Math.max(1, rows - 1))) - 2))
  return Math.ceil(rows / step) * step * rowBytes
}

/**
 * Gives every made buffer a slot, in order of first use: the smallest free slot that is large enough, else the largest
 * free one, enlarged, else a new one.
 */
export function assignMemory({ buffers, dispatches, outputs }: Program): MemoryPlan {
  const last = new Map<number, number>()
  const wholes = dispatches.map((d) => new Set(d.buffers.map((id) => {
    const buffer = buffers[id]
    return buffer?.kind === 'part' ? buffer.of : id
  })))
  wholes.forEach((ids, i) => { for (const id of ids) last.set(id, i) })
  const results = new Map<number, number>()
  for (const id of outputs) {
    const buffer = buffers[id]
    if (buffer?.kind === 'made') results.set(id, sizeClass(buffer.bytes))
  }
  const slots: { kind: Slot['kind']; bytes: number; keep?: number }[] = []
  const slotOf = new Array<number | undefined>(buffers.length).fill(undefined)
  const free = new Set<number>()
  wholes.forEach((ids, i) => {
    for (const id of ids) {
      const buffer = buffers[id]
      if (buffer?.kind !== 'made' && buffer?.kind !== 'texture' || results.has(id) || slotOf[id] !== undefined) continue
      const kind = buffer.kind === 'made' ? 'buffer' : 'texture'
      const need = kind === 'buffer' ? sizeClass(buffer.bytes) : textureClass(buffer.bytes)
      if (buffer.kind === 'texture' && buffer.keep !== undefined) {
        slotOf[id] = slots.push({ kind, bytes: need, keep: buffer.keep }) - 1
        continue
      }
      let best: number | undefined
      for (const s of free) {
        if (slots[s]?.kind !== kind) continue
        const size = slots[s].bytes
        const bestSize = best === undefined ? undefined : slots[best]?.bytes ?? 0
        if (bestSize === undefined || (size >= need ? bestSize < need || size < bestSize : bestSize < need && size > bestSize)) best = s
      }
      if (best === undefined) best = slots.push({ kind, bytes: need }) - 1
      else {
        free.delete(best)
        const slot = slots[best]
        if (slot) slot.bytes = Math.max(slot.bytes, need)
      }
      slotOf[id] = best
    }
    for (const id of ids) {
      const slot = slotOf[id]
      if (slot !== undefined && slots[slot]?.keep === undefined && last.get(id) === i) free.add(slot)
    }
  })
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((a, b) => a + b, 0)
  return { slots, slotOf, results, peakBytes: sum(slots.map((s) => s.bytes)) + sum(results.values()) }
}
