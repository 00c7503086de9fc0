import { halt, turn } from '#gpu'

/** Milliseconds waited before the first rest: what is done sooner is noticed at once. */
const patience = 0.2
/** Shortest and longest rest in milliseconds: a thread sleeps some 0.06 ms more than asked, and the end may be noticed so late. */
const shortest = 0.03
const longest = 1
/** Share of the time waited so far that one rest takes. */
const share = 0.05

/**
 * Waits for submitted work. While something is awaited, Dawn's binding to Node polls on the main thread without a pause; on
 * an adapter that computes on the CPU that takes a core away from the kernels, which halves them on two cores (measured). So
 * there the thread rests between polls, in proportion to the time waited: a wait is noticed as over 5% late at most. It rests
 * once right after it submits as well: the kernels' threads wake then, and where one wakes behind a busy thread it stays
 * there, both on one core, for milliseconds (a product of a row and 2048×2048: 1.5 ms with that rest, 2.1 without; of 64×64×64: 0.14
 * always, where it was 0.12 at times and 0.7 at others). Not so after dispatches of a few microseconds: their threads sleep
 * and wake for each, and waking is faster on a core kept busy (500 products of 16×16: 21 µs each with polling, 43 with rests).
 */
export class Pacer {
  readonly #queue: GPUQueue
  readonly #rests: boolean
  #pending = 0
  #short = true

  constructor(queue: GPUQueue, rests: boolean) {
    this.#queue = queue
    this.#rests = rests
  }

  /** Runs submitted and not yet waited for. */
  get pending(): number {
    return this.#pending
  }

  /** @param short whether the dispatches of the run are too small for a core that sleeps between them to be worth its waking */
  submitted(short: boolean): void {
    this.#short = short && (this.#short || this.#pending === 0)
    this.#pending++
    if (this.#rests && !short) halt(shortest)
  }

  /** Resolves when all that was submitted is done. */
  async settle(): Promise<void> {
    this.#pending = 0
    // A lost device fails the wait; the caller's next check says why.
    await this.#patiently(this.#queue.onSubmittedWorkDone().catch(() => undefined))
  }

  async #patiently(work: Promise<unknown>): Promise<void> {
    if (this.#rests && !this.#short) {
      const waited = { over: false }
      void work.finally(() => { waited.over = true })
      const begun = performance.now()
      while (!waited.over) {
        await turn()
        const passed = performance.now() - begun
        if (!waited.over && passed > patience) halt(Math.min(longest, Math.max(shortest, share * passed)))
      }
    }
    await work
  }
}
