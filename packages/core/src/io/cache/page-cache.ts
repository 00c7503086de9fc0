import { CheckpointError } from '../../errors.ts'
import { truncated, allocate } from '../source.ts'
import type { CachedFile, FileCache } from '../file-cache.ts'

/** A directory that a page may write, as far as a cache takes: a `FileSystemDirectoryHandle`. */
export interface WritableDirectoryHandle {
  readonly name: string
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<WritableDirectoryHandle>
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<WritableFileHandle>
  removeEntry(name: string, options?: { readonly recursive?: boolean }): Promise<void>
  keys(): AsyncIterable<string>
}

/** A file of such a directory. */
export interface WritableFileHandle {
  getFile(): Promise<Blob>
  createWritable(): Promise<{
    write(data: string | Uint8Array<ArrayBuffer>): Promise<void>
    close(): Promise<void>
    abort(): Promise<void>
  }>
}

/** One piece of a file, as it was added; it lies under the byte that it begins at, so that none is taken for another. */
interface Piece {
  readonly begin: number
  readonly blob: Blob
}

/**
 * A cache in a directory of the browser, such as the one that belongs to the page's origin. A file is kept in pieces, as
 * a browser copies a file whole to add to its end.
 * @example
 * const cache = pageCache(await navigator.storage.getDirectory())
 * using pipe = await loadPipeline(device, 'hf:owner/name', { cache })
 */
export function pageCache(directory: WritableDirectoryHandle): FileCache {
  const label = `the directory ${JSON.stringify(directory.name)} of the browser`
  const known = new Map<string, Piece[]>()
  const root = attempt(directory.getDirectoryHandle('antipode', { create: true }))
  // Who asks first is told; nobody may ask.
  root.catch(() => undefined)
  async function attempt<T>(work: Promise<T>): Promise<T> {
    return work.catch((cause: unknown) => {
      throw new CheckpointError(
        `cache: expected to use ${label}, got ${String(cause)}; make room, or leave the cache out`, { cause },
      )
    })
  }
  const place = async (address: string): Promise<WritableDirectoryHandle> =>
    attempt((await root).getDirectoryHandle(await nameOf(address), { create: true }))
  const write = async (
    to: WritableDirectoryHandle, name: string, data: string | Uint8Array<ArrayBuffer>,
  ): Promise<Blob> => {
    const handle = await attempt(to.getFileHandle(name, { create: true }))
    const writable = await attempt(handle.createWritable())
    try {
      await attempt(writable.write(data))
      await attempt(writable.close())
    } catch (error) {
      await writable.abort().catch(() => undefined)
      throw error
    }
    return attempt(handle.getFile())
  }
  const piecesIn = async (from: WritableDirectoryHandle): Promise<Piece[]> => {
    const pieces: Piece[] = []
    for (;;) {
      const begin = endOf(pieces)
      const handle = await from.getFileHandle(`${begin}`).catch(() => undefined)
      const blob = await handle?.getFile()
      if (!blob?.size) return pieces
      pieces.push({ begin, blob })
    }
  }
  const endOf = (pieces: readonly Piece[]): number => {
    const last = pieces.at(-1)
    return last ? last.begin + last.blob.size : 0
  }
  const at = async (name: string): Promise<CachedFile | undefined> => {
    try {
      const from = await (await root).getDirectoryHandle(name)
      const text = await (await (await from.getFileHandle('file.json')).getFile()).text()
      const file = JSON.parse(text) as Omit<CachedFile, 'stored'> // ours
      const pieces = known.get(file.address) ?? await piecesIn(from)
      known.set(file.address, pieces)
      const stored = endOf(pieces)
      return { ...file, stored, complete: file.complete && stored === file.size }
    } catch {
      // What is not there or damaged is fetched anew.
      return undefined
    }
  }
  const remove = async (address: string): Promise<void> => {
    known.delete(address)
    const name = await nameOf(address)
    const there = await (await root).getDirectoryHandle(name).catch(() => undefined)
    if (there) await attempt((await root).removeEntry(name, { recursive: true }))
  }
  const list = async (): Promise<readonly CachedFile[]> => {
    const files: CachedFile[] = []
    for await (const name of (await root).keys()) {
      const file = await at(name)
      if (file) files.push(file)
    }
    return files.sort((a, b) => (a.address < b.address ? -1 : 1))
  }
  return {
    label,
    list,
    find: async (address) => at(await nameOf(address)),
    async remove(address) {
      const doomed = address === undefined ? (await list()).map((file) => file.address) : [address]
      for (const one of doomed) await remove(one)
    },
    lock: async (address) => lockName(`antipode ${address}`),
    async begin({ address, version, size }) {
      await remove(address)
      await write(await place(address), 'file.json', JSON.stringify({ address, version, size, complete: false }))
      known.set(address, [])
    },
    async append(address, bytes) {
      const pieces = known.get(address) ?? []
      const begin = endOf(pieces)
      pieces.push({ begin, blob: await write(await place(address), `${begin}`, bytes) })
    },
    async complete(address) {
      const file = await at(await nameOf(address))
      if (!file) return
      const { version, size } = file
      await write(await place(address), 'file.json', JSON.stringify({ address, version, size, complete: true }))
    },
    async read(address, offset, length, into) {
      const bytes = into && into.length >= length ? into.subarray(0, length) : allocate(label, length)
      let done = 0
      for (const { begin, blob } of known.get(address) ?? []) {
        const from = offset + done - begin
        if (from < 0 || from >= blob.size || done === length) continue
        const part = blob.slice(from, Math.min(blob.size, from + length - done))
        bytes.set(new Uint8Array(await attempt(part.arrayBuffer())), done)
        done += part.size
      }
      if (done < length) throw truncated(JSON.stringify(address), offset, length, done)
      return bytes
    },
  }
}

/** What a directory for an address is called. */
async function nameOf(address: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(address)))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Takes a lock that all pages of the origin see, unless one has it. */
function lockName(name: string): Promise<AsyncDisposable | undefined> {
  const locks: LockManager | undefined = globalThis.navigator?.locks
  if (!locks) return Promise.resolve({ [Symbol.asyncDispose]: async () => {} })
  return new Promise((resolve, reject) => {
    locks.request(name, { ifAvailable: true }, (lock) => new Promise<void>((release) => {
      resolve(lock ? { [Symbol.asyncDispose]: async () => { release() } } : undefined)
      if (!lock) release()
    })).catch(reject)
  })
}
