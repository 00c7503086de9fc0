/** How often pairs are there, and which is there most often: a heap whose entries may be out of date. */
export class PairQueue {
  readonly #counts = new Map<number, number>()
  /** A binary heap, the first to take on top. */
  readonly #heap: (readonly [count: number, key: number])[] = []

  /** Counts a pair so many times more, or less. */
  change(key: number, by: number): void {
    const count = (this.#counts.get(key) ?? 0) + by
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
    // One that has become rarer is put in its place once it comes to the top.
    if (by > 0) this.#push([count, key])
  }

  /**
   * The most frequent pair, of equals the lowest, which leaves the queue but keeps its count. None where all are there
   * less than `least` times.
   */
  take(least: number): number | undefined {
    for (;;) {
      const [top] = this.#heap
      if (!top || top[0] < least) return undefined
      this.#pop()
      const [count, key] = top
      const now = this.#counts.get(key) ?? 0
      if (now === count) return key
      if (now > 0 && now < count) this.#push([now, key])
    }
  }

  #push(entry: readonly [count: number, key: number]): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(entry, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

function isBefore(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] > b[0]
}
