import { expect, test } from 'vitest'
import { openSource } from '../open-source.ts'
import { readOptions } from '../read-safetensors.ts'
import type { RemoteFile } from '../remote-file.ts'
import { pageCache, type WritableDirectoryHandle } from './index.ts'

/** A directory of a browser, as far as it matters here. */
function directory(name: string, entries = new Map<string, WritableDirectoryHandle | Blob>()): WritableDirectoryHandle {
  const missing = (): never => { throw new DOMException('missing', 'NotFoundError') }
  return {
    name,
    async getDirectoryHandle(child, { create = false } = {}) {
      const found = entries.get(child) ?? (create ? directory(child) : missing())
      if (found instanceof Blob) throw new DOMException('a file', 'TypeMismatchError')
      entries.set(child, found)
      return found
    },
    async getFileHandle(child, { create = false } = {}) {
      if (!entries.has(child) && !create) missing()
      return {
        getFile: async () => entries.get(child) as Blob, // a file
        createWritable: async () => {
          const parts: BlobPart[] = []
          return {
            write: async (data) => { parts.push(data) },
            close: async () => { entries.set(child, new Blob(parts)) },
            abort: async () => {},
          }
        },
      }
    },
    removeEntry: async (child) => { if (!entries.delete(child)) missing() },
    async *keys() {
      yield* entries.keys()
    },
  }
}

test('a page keeps files in pieces, goes on with what it has, and drops them', async () => {
  const file = Uint8Array.from({ length: 2 ** 23 + 7 }, (_, i) => (i * 40_503) >>> 8)
  const asked: number[] = []
  const remote = (end: number): RemoteFile => ({
    address: 'test:file', size: file.length, version: '1',
    async stream(begin) {
      asked.push(begin)
      return new Blob([file.slice(begin, end)]).stream()
    },
  })
  const place = directory('origin')
  const readAll = async (source: RemoteFile): Promise<boolean> => {
    const bytes = await openSource(source, readOptions({ cache: pageCache(place) }))
    try {
      // Across the seam of two pieces, too.
      const middle = await bytes.read(2 ** 22 - 3, 9)
      const all = await bytes.read(0, bytes.size)
      return Buffer.compare(all, file) === 0 && Buffer.compare(middle, file.subarray(2 ** 22 - 3, 2 ** 22 + 6)) === 0
    } finally {
      await bytes.close()
    }
  }
  await expect(readAll(remote(2 ** 22 + 100))).rejects.toThrow('and then no more')
  expect(await pageCache(place).list()).toMatchObject([{ stored: 2 ** 22 + 100, complete: false }])
  expect(await readAll(remote(file.length))).toBe(true)
  expect(new Set(asked)).toEqual(new Set([0, 2 ** 22 + 100]))
  const cache = pageCache(place)
  expect(await cache.find('test:file')).toMatchObject({ stored: file.length, complete: true })
  expect(Buffer.compare(await cache.read('test:file', 5, file.length - 5), file.subarray(5))).toBe(0)
  await cache.remove()
  expect(await cache.list()).toEqual([])
})
