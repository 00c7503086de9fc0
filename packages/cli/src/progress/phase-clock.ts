/** Work done by a time. */
interface Mark {
  readonly at: number
  readonly value: number
}

/** Work older than this says little about the pace: the first steps of a phase compile kernels and are slow. */
const windowSeconds = 30

/** Counts the work of one phase and tells, from the pace of its last half minute, how long the rest takes. */
export class PhaseClock {
  readonly title: string
  readonly total: number
  note = ''
  readonly #now: () => number
  readonly #begun: number
  #marks: Mark[]
  #value = 0

  /** @param now a monotonic clock in seconds */
  constructor(title: string, total: number, now: () => number) {
    this.title = title
    this.total = total
    this.#now = now
    this.#begun = now()
    this.#marks = [{ at: this.#begun, value: 0 }]
  }

  /** Units of work done, at most `total`. */
  get value(): number {
    return this.#value
  }

  /** Seconds since the phase began. */
  get elapsed(): number {
    return this.#now() - this.#begun
  }

  /** Seconds that the rest will take; NaN before any work was done. */
  get left(): number {
    const [oldest, newest] = [this.#marks[0], this.#marks.at(-1)]
    if (!oldest || !newest || newest.value <= oldest.value) return Number.NaN
    const pace = (newest.at - oldest.at) / (newest.value - oldest.value)
    const sinceNewest = this.#now() - newest.at
    return Math.max(0, (this.total - newest.value) * pace - sinceNewest)
  }

  /** Notes `n` more units of work, and what to show beside them. */
  advance(n: number, note: string | undefined): void {
    const at = this.#now()
    this.#value = Math.min(this.total, this.#value + n)
    if (note !== undefined) this.note = note
    this.#marks.push({ at, value: this.#value })
    // The newest mark that is older than the window stays: the pace is measured from it.
    while ((this.#marks[1]?.at ?? at) <= at - windowSeconds && this.#marks.length > 2) this.#marks.shift()
  }
}
