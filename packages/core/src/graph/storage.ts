import type { GpuBuffer } from '../webgpu-types.ts'

/**
 * Where tensors keep their elements, with a count of the tensors that share it: a buffer of its own, or part of one that
 * several share. The last release gives it back.
 */
export class Storage {
  readonly byteLength: number
  readonly #own: GpuBuffer
  readonly #free: (buffer: GpuBuffer) => void
  readonly #ended: () => void
  readonly #parts = new Map<number, Storage>()
  readonly #watchers = new Set<() => void>()
  #whole: Storage | undefined
  #offset = 0
  #owners = 1

  /** @param free takes the buffer back once nothing lies in it @param ended is told once nothing owns this */
  constructor(buffer: GpuBuffer, byteLength: number, free: (buffer: GpuBuffer) => void, ended: () => void = () => undefined) {
    this.#own = buffer
    this.byteLength = byteLength
    this.#free = free
    this.#ended = ended
  }

  get buffer(): GpuBuffer {
    return this.#whole?.buffer ?? this.#own
  }

  /** Byte of the buffer at which it begins. */
  get offset(): number {
    return this.#offset
  }

  /** What this is part of. */
  get whole(): Storage | undefined {
    return this.#whole
  }

  /** The part that begins at a byte. */
  part(offset: number): Storage | undefined {
    return this.#parts.get(offset)
  }

  /** Makes this part of another, which it keeps from then on; who calls has copied the elements. */
  moveInto(whole: Storage, offset: number): void {
    this.#leave()
    this.#whole = whole.retain()
    this.#offset = offset
    whole.#parts.set(offset, this)
  }

  /** Adds an owner: an in-place result lives in its operand's storage. */
  retain(): this {
    this.#owners++
    return this
  }

  release(): void {
    this.#owners--
    if (this.#owners > 0) return
    this.#leave()
    this.#ended()
  }

  /** Calls `stale` once, when what it holds is about to change or to move. Returns what ends the watch. */
  watch(stale: () => void): () => void {
    this.#watchers.add(stale)
    return () => { this.#watchers.delete(stale) }
  }

  /** To be called when it is written. */
  changed(): void {
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const stale of watchers) stale()
  }

  #leave(): void {
    this.changed()
    if (!this.#whole) {
      this.#free(this.#own)
      return
    }
    this.#whole.#parts.delete(this.#offset)
    this.#whole.release()
  }
}
