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

/** From which dispatch to which something is needed. */
interface Span {
  readonly id: number
  readonly kind: Slot['kind']
  readonly bytes: number
  readonly first: number
  last: number
}

/**
 * Gives every made buffer a slot, the largest first: the smallest that no other needs meanwhile, else a new one. No slot then
 * grows for a later buffer, which left plans of training steps a quarter larger. Source: Pisarchyk & Lee 2020,
 * https://arxiv.org/abs/2001.03288, "greedy by size".
 */
export function assignMemory({ buffers, dispatches, outputs }: Program): MemoryPlan {
  const results = new Map<number, number>()
  for (const id of outputs) {
    const buffer = buffers[id]
    if (buffer?.kind === 'made') results.set(id, sizeClass(buffer.bytes))
  }
  const spans = new Map<number, Span>()
  const kept: { readonly slot: Slot; readonly id: number }[] = []
  dispatches.forEach((d, i) => {
    for (const part of d.buffers) {
      const described = buffers[part]
      const id = described?.kind === 'part' ? described.of : part
      const buffer = buffers[id]
      const known = spans.get(id)
      if (known) known.last = i
      else if (buffer?.kind === 'made' && !results.has(id)) spans.set(id, { id, kind: 'buffer', bytes: sizeClass(buffer.bytes), first: i, last: i })
      else if (buffer?.kind === 'texture') {
        const { keep } = buffer
        const bytes = textureClass(buffer.bytes)
        if (keep === undefined) spans.set(id, { id, kind: 'texture', bytes, first: i, last: i })
        else if (!kept.some((k) => k.id === id)) kept.push({ id, slot: { kind: 'texture', bytes, keep } })
      }
    }
  })
  const slots: Slot[] = []
  const slotOf = new Array<number | undefined>(buffers.length).fill(undefined)
  const taken: Span[][] = []
  const place = (slot: Slot, id: number): number => {
    slotOf[id] = slots.push(slot) - 1
    taken.push([])
    return slots.length - 1
  }
  for (const span of [...spans.values()].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    // Slots are in the order of their sizes, so that the last that is free is the smallest.
    let at = slots.findLastIndex(({ kind }, s) => kind === span.kind && !taken[s]?.some((t) => t.first <= span.last && span.first <= t.last))
    if (at < 0) at = place({ kind: span.kind, bytes: span.bytes }, span.id)
    slotOf[span.id] = at
    taken[at]?.push(span)
  }
  for (const { slot, id } of kept) place(slot, id)
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((a, b) => a + b, 0)
  return { slots, slotOf, results, peakBytes: sum(slots.map((s) => s.bytes)) + sum(results.values()) }
}
