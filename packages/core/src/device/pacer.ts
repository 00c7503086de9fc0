import { rest } from '#gpu'

/** Longest rest in milliseconds: what the end of a wait may be noticed too late. */
const longest = 1
/** Share of the time waited so far that one rest takes. */
const share = 0.05
/** Shorter rests would take longer than they say: a thread sleeps some 0.06 ms at least. */
const shortest = 0.02

/**
 * Waits for submitted work. While something is awaited, Dawn's binding to Node polls on the main thread without a pause; on
 * an adapter that computes on the CPU that takes a core away from the kernels, which halves them on two cores (measured). So
 * there the thread rests between polls, in proportion to the time waited: a wait is noticed as over 5% late at most.
 */
export class Pacer {
  readonly #queue: GPUQueue
  readonly #rests: boolean
  #pending = 0

  constructor(queue: GPUQueue, rests: boolean) {
    this.#queue = queue
    this.#rests = rests
  }

  /** Runs submitted and not yet waited for. */
  get pending(): number {
    return this.#pending
  }

  submitted(): void {
    this.#pending++
  }

  /** Resolves when all that was submitted is done. */
  async settle(): Promise<void> {
    this.#pending = 0
    // A lost device fails the wait; the caller's next check says why.
    await this.#patiently(this.#queue.onSubmittedWorkDone().catch(() => undefined))
  }

  async #patiently(work: Promise<unknown>): Promise<void> {
    if (this.#rests) {
      let done = false
      void work.finally(() => { done = true })
      const begun = performance.now()
      while (!done) {
        const pause = Math.min(longest, share * (performance.now() - begun))
        await rest(pause < shortest ? 0 : pause)
      }
    }
    await work
  }
}
