import { nextTask, sleepSync } from '#gpu'

/** What is known of a plan's runs. */
export interface Paced {
  /** Whether its dispatches are too small for a core that sleeps between them to be worth its waking. */
  readonly short: boolean
  /** Milliseconds of a run as seen so far, 0 before the first. */
  expected: number
}

/** One run under way. */
interface Flight {
  readonly run: Paced
  readonly submitted: number
}

/** Milliseconds waited before the first rest when nothing is expected: what is done sooner is noticed at once. */
const patience = 0.2
/** Shortest and longest rest in milliseconds. A thread sleeps some 0.06 ms more than asked, and the end may be noticed so late. */
const shortest = 0.03
const longest = 1
/** Share of the time waited so far that a rest takes, and of the time expected that passes in as few rests as possible. */
const share = 0.05
const certain = 0.9

/**
 * Waits for submitted work. While something is awaited, Dawn's binding to Node polls on the main thread without a pause; on
 * an adapter that computes on the CPU that takes a core away from the kernels, which halves them on two cores (measured). So
 * there the thread rests, until most of the time has passed that the same plan took before, and then between polls: even a poll
 * every 0.1 ms slows kernels by a third, since each of their threads has a share of the work that no other takes over.
 * It rests once right after it submits as well: the kernels' threads wake then, and where one wakes behind a busy thread it
 * stays there, both on one core, for milliseconds. Not so after dispatches of a few microseconds: their threads sleep and wake
 * for each, and waking is faster on a core kept busy (500 products of 16×16: 20 µs each with polling, 43 with rests).
 */
export class Pacer {
  readonly #queue: GPUQueue
  readonly #rests: boolean
  #flights: Flight[] = []
  /** When the GPU was last known to have done all that was waited for. */
  #free = 0

  constructor(queue: GPUQueue, rests: boolean) {
    this.#queue = queue
    this.#rests = rests
  }

  /** Runs submitted and not yet waited for. */
  get pending(): number {
    return this.#flights.length
  }

  /**
   * Whether a run is to be encoded only once all that was submitted is done. Where the host's cores are the GPU, encoding beside it
   * takes from one kernel thread what the other then waits for; and while it lasts, Linux moves both threads to the other core, on
   * which they stay for milliseconds (denoising 64 digits on two cores: 15.3 ms instead of 16.6).
   */
  alternates(run: Paced): boolean {
    return this.#rests && !run.short && this.pending > 0
  }

  submitted(run: Paced): void {
    this.#flights.push({ run, submitted: performance.now() })
    if (this.#rests && !run.short && this.pending === 1) sleepSync(shortest)
  }

  /** Resolves when all that was submitted is done. */
  settle(): Promise<void> {
    return this.mark()()
  }

  /** Marks what was submitted so far; what it gives resolves when that is done, whatever was submitted since. */
  mark(): () => Promise<void> {
    const marked = this.#flights.slice()
    // A lost device fails the wait; the caller's next check says why.
    const work = this.#queue.onSubmittedWorkDone().catch(() => undefined)
    return async () => {
      this.#flights = this.#flights.filter((f) => !marked.includes(f))
      if (this.#rests && !marked.every(({ run }) => run.short)) await this.#patiently(work, marked)
      await work
    }
  }

  async #patiently(work: Promise<unknown>, flights: readonly Flight[]): Promise<void> {
    const waited = { over: false }
    void work.finally(() => { waited.over = true })
    const [first] = flights
    const begun = Math.max(first?.submitted ?? performance.now(), this.#free)
    const expected = flights.reduce((sum, { run }) => sum + run.expected, 0)
    const until = begun + certain * expected - shortest
    let seen: 'nothing' | 'too late' | 'the end' = 'nothing'
    for (await nextTask(); !waited.over; await nextTask()) {
      const now = performance.now()
      if (now < until) {
        seen = 'too late'
        sleepSync(Math.min(longest, until - now))
      } else {
        seen = 'the end'
        if (expected > patience || now - begun > patience) sleepSync(Math.min(longest, Math.max(shortest, share * (now - Math.max(begun, until)))))
      }
    }
    this.#free = performance.now()
    if (!first || seen === 'nothing' || flights.some(({ run }) => run !== first.run)) return
    // One slow run says little of the next, and one that ended during a rest says that rests are too long.
    const took = (this.#free - begun) / flights.length
    const { run } = first
    run.expected = seen === 'too late' ? 0.8 * Math.min(run.expected, took) : run.expected === 0 ? took : Math.min(took, 1.2 * run.expected)
  }
}
