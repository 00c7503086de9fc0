import type { Program } from './program.ts'
import { sizeClass, textureClass } from './sizes.ts'

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

/** The slot that something would have to itself, and from which dispatch to which it is needed. */
interface Span {
  readonly id: number
  readonly slot: Slot
  readonly first: number
  last: number
}

/**
 * Gives every made buffer a slot, the largest first: the smallest that no other needs meanwhile, else a new one. No
 * slot then grows for a later buffer, which left plans of training steps a quarter larger. Source: Pisarchyk & Lee
 * 2020, https://arxiv.org/abs/2001.03288, "greedy by size".
 */
export function assignMemory({ buffers, dispatches, outputs }: Program): MemoryPlan {
  const results = new Map<number, number>()
  for (const id of outputs) {
    const buffer = buffers[id]
    if (buffer?.kind === 'made') results.set(id, sizeClass(buffer.bytes))
  }
  const spans = new Map<number, Span>()
  dispatches.forEach((d, i) => {
    for (const part of d.buffers) {
      const described = buffers[part]
      const id = described?.kind === 'part' ? described.of : part
      const known = spans.get(id)
      const slot = known || results.has(id) ? undefined : slotFor(buffers[id])
      if (known) known.last = i
      else if (slot) spans.set(id, { id, slot, first: i, last: i })
    }
  })
  const slots: Slot[] = []
  const slotOf = new Array<number | undefined>(buffers.length).fill(undefined)
  const taken: Span[][] = []
  for (const span of [...spans.values()].sort((a, b) => b.slot.bytes - a.slot.bytes || a.first - b.first)) {
    const { slot: { kind, keep } } = span
    // Slots are in the order of their sizes, so that the last that is free is the smallest. What is kept shares with
    // nothing.
    const free = keep === undefined ? slots.findLastIndex((s, k) => s.kind === kind && isFree(s, span, taken[k])) : -1
    const slot = free < 0 ? slots.push(span.slot) - 1 : free
    slotOf[span.id] = slot
    ;(taken[slot] ??= []).push(span)
  }
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((a, b) => a + b, 0)
  return { slots, slotOf, results, peakBytes: sum(slots.map((s) => s.bytes)) + sum(results.values()) }
}

/** Whether a slot that these have in turn is free when another needs it. */
function isFree({ keep }: Slot, { first, last }: Span, taken: readonly Span[] = []): boolean {
  return keep === undefined && !taken.some((t) => t.first <= last && first <= t.last)
}

/** The slot that a buffer of the program would have to itself; undefined of those that exist before it runs. */
function slotFor(buffer: Program['buffers'][number] | undefined): Slot | undefined {
  if (buffer?.kind === 'made') return { kind: 'buffer', bytes: sizeClass(buffer.bytes) }
  if (buffer?.kind !== 'texture') return undefined
  const bytes = textureClass(buffer.bytes)
  return buffer.keep === undefined ? { kind: 'texture', bytes } : { kind: 'texture', bytes, keep: buffer.keep }
}
