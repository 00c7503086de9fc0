/** Up to this, a buffer of its own costs little. */
const worthwhile = 2 ** 16
/** As many tensors as are read at once. */
const most = 6

/**
 * Memory that tensors take turns with on their way from a file to a device. A buffer of its own for each would take as
 * long as the reading: the system clears it, and the garbage collector runs for it.
 */
export class Scratch {
  /** From small to large. */
  readonly #free: Uint8Array<ArrayBuffer>[] = []

  /** Runs with memory for so many bytes, or with none where they are few. */
  async lend<T>(bytes: number, use: (memory: Uint8Array<ArrayBuffer> | undefined) => Promise<T>): Promise<T> {
    if (bytes <= worthwhile) return use(undefined)
    const memory = this.#take(bytes)
    try {
      return await use(memory)
    } finally {
      this.#free.push(memory)
      this.#free.sort((a, b) => a.length - b.length)
      if (this.#free.length > most) this.#free.shift()
    }
  }

  #take(bytes: number): Uint8Array<ArrayBuffer> {
    const [memory] = this.#free.splice(this.#free.findIndex(({ length }) => length >= bytes), 1)
    // The largest makes room where it is too small: no more grow large than are lent for large tensors at once.
    return memory && memory.length >= bytes ? memory : new Uint8Array(bytes)
  }
}
