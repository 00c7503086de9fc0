/** Up to this, a buffer of its own costs little. */
const worthwhile = 2 ** 22
/** As many large tensors as are read at once. */
const most = 2

/**
 * Memory that large tensors take turns with on their way from a file to a device. A buffer of its own for each would take
 * as long as the reading: the system clears it, and the garbage collector runs for it.
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
    const fits = this.#free.findIndex(({ length }) => length >= bytes)
    // What is too small makes room for what fits.
    const [memory] = this.#free.splice(Math.max(0, fits), 1)
    return memory && fits >= 0 ? memory : new Uint8Array(bytes)
  }
}
