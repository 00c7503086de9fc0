import { CheckpointError } from '../../errors.ts'
import { nodeModule } from '../node.ts'
import type { RemoteFile } from '../remote-file.ts'
import { Silence } from '../silence.ts'
import type { FileCache } from '../file-cache.ts'

/** Bytes that are added to a file at once. */
const pieceBytes = 2 ** 22
/** How often a connection may break before any byte comes. */
const attempts = 3

interface DownloadOptions {
  readonly signal: AbortSignal | undefined
  /** The longest silence of a server, in milliseconds. */
  readonly timeout: number
  /** Bytes that the cache has. */
  readonly begin: number
}

/** Brings a file into a cache, from where it stands to the end. */
export class Download {
  readonly #remote: RemoteFile
  readonly #cache: FileCache
  readonly #timeout: number
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #done: Promise<void>
  /** Bytes that are there to be read; all of them only once the digest is right. */
  #ready = 0
  #failure: { readonly error: unknown } | undefined
  #waiting: { readonly end: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []

  constructor(remote: RemoteFile, cache: FileCache, { signal, timeout, begin }: DownloadOptions) {
    this.#remote = remote
    this.#cache = cache
    this.#timeout = timeout
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    this.#done = this.#run(begin).catch((error: unknown) => { this.#fail(error) })
  }

  /** Bytes of the file, once they are in the cache. @throws what ended the download before */
  async read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const end = offset + length
    this.#check()
    if (end > this.#ready) {
      await new Promise<void>((resolve, reject) => { this.#waiting.push({ end, resolve, reject }) })
    }
    try {
      return await this.#cache.read(this.#remote.address, offset, length, into)
    } catch (error) {
      // A file with the wrong digest was dropped meanwhile.
      this.#check()
      throw error
    }
  }

  /** Ends it; what has come stays in the cache. */
  async stop(): Promise<void> {
    this.#stop.abort(new CheckpointError(`cache: ${JSON.stringify(this.#remote.address)}: its download was stopped`))
    await this.#done
  }

  async #run(begin: number): Promise<void> {
    const { address, size, sha256 } = this.#remote
    const digest = sha256 === undefined ? undefined : await this.#digestOf(begin)
    let stored = begin
    this.#advance(Math.min(stored, size - 1))
    // What the cache refuses, as a disk that is full does, it would refuse again.
    let refused = false
    const keep = (piece: Uint8Array<ArrayBuffer>): Promise<void> => this.#cache.append(address, piece).catch((error: unknown) => {
      refused = true
      throw error
    })
    for (let left = attempts; stored < size;) {
      const before = stored
      try {
        for await (const piece of this.#pieces(stored)) {
          await keep(piece)
          digest?.update(piece)
          stored += piece.length
          this.#advance(Math.min(stored, size - 1))
        }
        if (stored === before) throw this.#broken(stored, 'no more')
      } catch (error) {
        this.#signal.throwIfAborted()
        left = stored > before ? attempts : left - 1
        if (left === 0 || refused) throw error
      }
    }
    const found = digest?.digest('hex')
    if (found !== undefined && found !== sha256) {
      this.#fail(new CheckpointError(
        `cache: expected ${JSON.stringify(address)} with the SHA-256 ${sha256}, got ${found}; ` +
          'it is dropped: load it again',
      ))
      return this.#cache.remove(address)
    }
    await this.#cache.complete(address)
    this.#advance(size)
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** The digest so far; in pages there is none that takes a file piece by piece. */
  async #digestOf(bytes: number): Promise<import('node:crypto').Hash | undefined> {
    if (globalThis.process?.getBuiltinModule === undefined) return undefined
    const hash = nodeModule('cache', 'node:crypto').createHash('sha256')
    for (let at = 0; at < bytes; at += pieceBytes) {
      hash.update(await this.#cache.read(this.#remote.address, at, Math.min(pieceBytes, bytes - at)))
      this.#signal.throwIfAborted()
    }
    return hash
  }

  /** What comes from a byte on, in pieces as they are written. */
  async *#pieces(begin: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { size } = this.#remote
    using silence = new Silence(this.#timeout)
    const ended = AbortSignal.any([this.#signal, silence.signal])
    const reader = (await orAborted(this.#remote.stream(begin, size), ended)).getReader()
    let [piece, filled, got] = [new Uint8Array(Math.min(pieceBytes, size - begin)), 0, begin]
    try {
      for (;;) {
        const { value } = await orAborted(reader.read(), ended)
        if (!value) break
        silence.broken()
        if (got + value.length > size) throw this.#broken(got + value.length, 'a longer file')
        got += value.length
        for (let rest = value; rest.length > 0;) {
          const part = rest.subarray(0, piece.length - filled)
          piece.set(part, filled)
          filled += part.length
          rest = rest.subarray(part.length)
          if (filled < piece.length) continue
          yield piece
          filled = 0
          piece = new Uint8Array(Math.min(pieceBytes, size - got + rest.length))
        }
      }
    } catch (error) {
      this.#signal.throwIfAborted()
      if (error instanceof CheckpointError) throw error
      const what = silence.signal.aborted ? `nothing for ${this.#timeout} ms` : `a broken connection (${String(error)})`
      // What came before is kept all the same.
      if (filled > 0) yield piece.slice(0, filled)
      throw this.#broken(got, what, error)
    } finally {
      reader.cancel().catch(() => undefined)
    }
    if (filled > 0) yield piece.slice(0, filled)
  }

  #advance(bytes: number): void {
    this.#ready = bytes
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ end }) => end > bytes)
    for (const { end, resolve } of waiting) if (end <= bytes) resolve()
  }

  #broken(got: number, what: string, cause?: unknown): CheckpointError {
    const { address, size } = this.#remote
    return new CheckpointError(
      `cache: expected ${size} bytes of ${JSON.stringify(address)}, got ${got} and then ${what}; ` +
        'try again: what has come is kept',
      { cause },
    )
  }
}

/** Settles as `work` does, or rejects as soon as the signal is aborted. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => { reject(signal.reason) }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
