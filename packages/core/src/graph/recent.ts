/**
 * What was asked for lately, by a text: at least the last `capacity` entries, and less than twice as many. Entries live in two
 * generations, and the older one is forgotten once the younger one is full; so a hit costs one look-up.
 */
export class Recent<V extends object> {
  readonly #capacity: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Entries kept. */
  get size(): number {
    return this.#young.size + [...this.#old.keys()].filter((key) => !this.#young.has(key)).length
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young) return young
    const old = this.#old.get(key)
    if (old) this.set(key, old)
    return old
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
