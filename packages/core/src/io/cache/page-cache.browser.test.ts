import type { CDPSession } from '@vitest/browser-playwright'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cdp } from 'vitest/browser'
import { CheckpointError } from '../../errors.ts'
import { openSource } from '../open-source.ts'
import { readOptions, type ReadSafetensorsOptions } from '../read-safetensors.ts'
import type { RemoteFile } from '../remote-file.ts'
import type { ByteSource } from '../source.ts'
import { pageCache } from './index.ts'

const MiB = 2 ** 20
const file = Uint8Array.from({ length: 9 * MiB + 5 }, (_, i) => (i * 2_654_435_761) >>> 24)

let place: FileSystemDirectoryHandle
/** Bytes from which on the file was asked for. */
let asked: number[]

beforeEach(async () => {
  place = await (await navigator.storage.getDirectory()).getDirectoryHandle('page-cache-test', { create: true })
  asked = []
})

afterEach(async () => {
  await (await navigator.storage.getDirectory()).removeEntry('page-cache-test', { recursive: true })
})

/** The file, of which only so much comes: then its server is silent. */
const remote = (comes = file.length): RemoteFile => ({
  address: 'test:file', size: file.length, version: '1',
  async stream(begin, end) {
    asked.push(begin)
    const bytes = file.subarray(begin, Math.min(end, comes))
    return new ReadableStream({
      start(to) {
        if (bytes.length > 0) to.enqueue(bytes)
        if (comes === file.length) to.close()
      },
    })
  },
})

/** As a page does that was just opened. */
const open = (source: RemoteFile, options: ReadSafetensorsOptions = {}): Promise<ByteSource> =>
  openSource(source, readOptions({ cache: pageCache(place), ...options }))

async function expectWhole(source: RemoteFile): Promise<void> {
  const bytes = await open(source)
  const got = await bytes.read(0, bytes.size)
  await bytes.close()
  expect(got.findIndex((byte, i) => byte !== file[i])).toBe(-1)
}

/** Where the cache keeps the file. */
async function kept(): Promise<FileSystemDirectoryHandle> {
  const root = await place.getDirectoryHandle('antipode')
  for await (const entry of root.values()) if (entry.kind === 'directory') return entry as FileSystemDirectoryHandle
  throw new Error('expected a file in the cache, got none')
}

async function overwrite(name: string, data: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const writable = await (await (await kept()).getFileHandle(name)).createWritable()
  await writable.write(data)
  await writable.close()
}

test('a file is fetched once, is there when the page is opened again, and is dropped', async () => {
  await expectWhole(remote())
  await expectWhole(remote())
  expect(asked).toEqual([0])
  const size = file.length
  expect(await pageCache(place).list()).toEqual([{ address: 'test:file', version: '1', size, stored: size, complete: true }])
  await pageCache(place).remove()
  expect(await pageCache(place).list()).toEqual([])
})

test('an abort keeps what has come, the rest is fetched next time, and meanwhile another page reads without the cache', async () => {
  const controller = new AbortController()
  const bytes = await open(remote(5 * MiB), { signal: controller.signal })
  expect(await bytes.read(3, 9)).toEqual(file.slice(3, 12))
  const other = await open(remote())
  expect(await other.read(8 * MiB, 4)).toEqual(file.slice(8 * MiB, 8 * MiB + 4))
  await other.close()
  const rest = bytes.read(6 * MiB, 1)
  controller.abort(new Error('enough'))
  await expect(rest).rejects.toThrow('enough')
  await bytes.close()
  expect(await pageCache(place).find('test:file')).toMatchObject({ stored: 4 * MiB, complete: false })
  asked = []
  await expectWhole(remote())
  expect(asked).toEqual([4 * MiB])
})

test('what is damaged is fetched anew from there on', async () => {
  await expectWhole(remote())
  await overwrite('0', file.slice(0, MiB))
  await expectWhole(remote())
  await overwrite('file.json', '{"address"')
  await expectWhole(remote())
  expect(asked).toEqual([0, MiB, 0])
})

test('a cache that has no room says so at once, and keeps what it has', async () => {
  const browser: CDPSession = cdp()
  const quota = (more: { readonly quotaSize?: number }): Promise<unknown> =>
    browser.send('Storage.overrideQuotaForOrigin', { origin: location.origin, ...more })
  const { usage = 0 } = await navigator.storage.estimate()
  await quota({ quotaSize: usage + 6 * MiB })
  try {
    const bytes = await open(remote())
    const read = bytes.read(0, bytes.size)
    await expect(read).rejects.toThrow(CheckpointError)
    await expect(read).rejects.toThrow(/expected to use the directory "page-cache-test" of the browser, got QuotaExceededError.*; make room/)
    await bytes.close()
  } finally {
    await quota({})
  }
  expect(asked).toEqual([0])
  expect(await pageCache(place).find('test:file')).toMatchObject({ stored: 4 * MiB, complete: false })
  await expectWhole(remote())
  expect(asked).toEqual([0, 4 * MiB])
})
