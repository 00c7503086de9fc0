/** A buffer of the pool with a count of the tensors that share it; the last release gives it back. */
export class Storage {
  readonly buffer: GPUBuffer
  readonly byteLength: number
  #owners = 1
  readonly #release: (storage: Storage) => void

  constructor(buffer: GPUBuffer, byteLength: number, release: (storage: Storage) => void) {
    this.buffer = buffer
    this.byteLength = byteLength
    this.#release = release
  }

  /** Adds an owner: an in-place result lives in its operand's storage. */
  retain(): this {
    this.#owners++
    return this
  }

  release(): void {
    this.#owners--
    if (this.#owners === 0) this.#release(this)
  }
}
