/** A signal that is aborted once nothing has happened for so many milliseconds. */
export class Silence implements Disposable {
  readonly #controller = new AbortController()
  readonly timeout: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(timeout: number) {
    this.timeout = timeout
    this.broken()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something happened: the wait begins anew. */
  broken(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { this.#controller.abort() }, this.timeout)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
