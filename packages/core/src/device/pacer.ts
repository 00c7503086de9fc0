/** Below this many milliseconds a timer is too coarse to help. */
const shortest = 2
/** Share of the expected time that is slept through; the rest is awaited, so that the estimate can shrink. */
const asleep = 0.85

/** A run whose time is learnt from one submission to the next. */
export interface Paced {
  /** Expected milliseconds of one run; 0 while unknown, undefined before the first, in which kernels are still compiled. */
  expected: number | undefined
}

/**
 * Waits for submitted work. While something is awaited, Dawn's binding to Node polls on the main thread; on an adapter
 * that computes on the CPU that takes a core away from the kernels (measured on two cores: more than half of the process's
 * time was polling). So there the wait is slept through for most of the time the same work took before.
 */
export class Pacer {
  readonly #queue: GPUQueue
  readonly #sleeps: boolean
  readonly #runs: Paced[] = []
  #since = 0

  constructor(queue: GPUQueue, sleeps: boolean) {
    this.#queue = queue
    this.#sleeps = sleeps
  }

  /** Runs submitted and not yet waited for. */
  get pending(): number {
    return this.#runs.length
  }

  submitted(run: Paced): void {
    if (this.#runs.length === 0) this.#since = performance.now()
    this.#runs.push(run)
  }

  /** Resolves when all that was submitted is done. */
  async settle(): Promise<void> {
    const runs = this.#runs.splice(0)
    if (runs.length === 0) return
    const known = runs.every((r) => r.expected !== undefined && r.expected > 0)
    const expected = known ? runs.reduce((sum, r) => sum + (r.expected ?? 0), 0) : 0
    const nap = expected * asleep - (performance.now() - this.#since)
    if (this.#sleeps && nap > shortest) await new Promise((resolve) => { setTimeout(resolve, nap) })
    const woke = performance.now()
    // A lost device fails the wait; the caller's next check says why.
    await this.#queue.onSubmittedWorkDone().catch(() => undefined)
    const now = performance.now()
    const took = now - this.#since
    // Work that was done on waking took less than the nap, nobody knows how much less.
    const overslept = nap > shortest && now - woke < 0.02 * took
    for (const r of runs) {
      if (r.expected === undefined) r.expected = 0
      else r.expected = known ? r.expected * (overslept ? 0.6 : Math.min(1.5, took / expected)) : took / runs.length
    }
  }
}
