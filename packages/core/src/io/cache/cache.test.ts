import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '../../errors.ts'
import { openSource } from '../open-source.ts'
import { readOptions, type ReadSafetensorsOptions } from '../read-safetensors.ts'
import type { RemoteFile } from '../remote-file.ts'
import type { ByteSource } from '../source.ts'
import { diskCache } from './index.ts'

const MiB = 2 ** 20
const file = Uint8Array.from({ length: 9 * MiB + 5 }, (_, i) => (i * 2_654_435_761) >>> 24)

let folder: string
let server: Server
let address: string
/** Ranges that were asked for. */
let asked: string[]
/** The state of the file, and the byte before which a connection breaks. */
let etag: string | undefined
let breaksAt: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-cache-'))
  ;[asked, etag, breaksAt] = [[], '"one"', Infinity]
  server = createServer(({ headers: { range = '' } }, response) => {
    asked.push(range)
    const [, begin, last] = /bytes=(\d+)-(\d+)/.exec(range) ?? []
    const [from, to] = [Number(begin), Math.min(Number(last) + 1, file.length)]
    const contentRange = `bytes ${from}-${to - 1}/${file.length}`
    const headers = { 'content-range': contentRange, 'content-length': to - from, ...(etag && { etag }) }
    response.writeHead(206, headers)
    if (to <= breaksAt) response.end(file.subarray(from, to))
    else response.write(file.subarray(from, breaksAt), () => { response.destroy() })
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors` // on a port, not a pipe
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((done) => { server.close(done) })
  rmSync(folder, { recursive: true })
})

const open = (source: string | RemoteFile, options: ReadSafetensorsOptions = {}): Promise<ByteSource> =>
  openSource(source, readOptions({ cache: diskCache(folder), ...options }))

/** Reads a whole file through the cache, in pieces, and closes it. Gives whether it is as it should be. */
async function readAll(source: string | RemoteFile, options: ReadSafetensorsOptions = {}): Promise<boolean> {
  const bytes = await open(source, options)
  const into = new Uint8Array(bytes.size)
  try {
    for (let at = 0; at < bytes.size; at += MiB) into.set(await bytes.read(at, Math.min(MiB, bytes.size - at)), at)
    return Buffer.compare(into, file) === 0
  } finally {
    await bytes.close()
  }
}

test('a file is fetched once, and from then on asked only whether it is the same', async () => {
  expect(await readAll(address)).toBe(true)
  expect(asked).toEqual(['bytes=0-0', `bytes=0-${file.length - 1}`])
  expect(await readAll(address)).toBe(true)
  expect(asked.slice(2)).toEqual(['bytes=0-0'])
  expect(await diskCache(folder).list()).toEqual([
    { address, version: '"one"', size: file.length, stored: file.length, complete: true },
  ])
  etag = '"two"'
  expect(await readAll(address)).toBe(true)
  expect(asked.slice(3)).toEqual(['bytes=0-0', `bytes=0-${file.length - 1}`])
})

test('what came before a connection broke is kept, and the rest is asked for', async () => {
  breaksAt = 5 * MiB
  await expect(readAll(address)).rejects.toThrow(CheckpointError)
  const [{ stored, complete } = { stored: 0, complete: true }] = await diskCache(folder).list()
  expect([stored > 4 * MiB, stored <= breaksAt, complete]).toEqual([true, true, false])
  breaksAt = Infinity
  asked = []
  expect(await readAll(address)).toBe(true)
  expect(asked).toEqual(['bytes=0-0', `bytes=${stored}-${file.length - 1}`])
})

test('reads wait for their own bytes alone, and an abort ends them and the fetch', async () => {
  const controller = new AbortController()
  const remote: RemoteFile = {
    address: 'test:slow', size: file.length, version: '1',
    // Half of it, and then silence.
    stream: async () => new ReadableStream({ start: (to) => { to.enqueue(file.subarray(0, 5 * MiB)) } }),
  }
  const bytes = await open(remote, { signal: controller.signal })
  expect(await bytes.read(3, 9)).toEqual(file.subarray(3, 12))
  const rest = bytes.read(6 * MiB, 1)
  controller.abort(new Error('enough'))
  await expect(rest).rejects.toThrow('enough')
  await bytes.close()
  expect((await diskCache(folder).find('test:slow'))?.stored).toBeGreaterThanOrEqual(4 * MiB)
})

test('a file with another digest than it should have is dropped, also where half of it was there', async () => {
  const sha256 = createHash('sha256').update(file).digest('hex')
  const remote = (bytes: Uint8Array, broken: boolean): RemoteFile => ({
    address: 'test:digest', size: file.length, version: sha256, sha256,
    stream: async (begin, end) => new Blob([bytes.slice(begin, broken ? 5 * MiB : end)]).stream(),
  })
  await expect(readAll(remote(file, true))).rejects.toThrow('and then no more')
  await expect(readAll(remote(file.map((byte) => byte ^ 1), false))).rejects.toThrow(`with the SHA-256 ${sha256}`)
  expect(await diskCache(folder).list()).toEqual([])
  expect(await readAll(remote(file, false))).toBe(true)
})

test('offline, what is whole is read and nothing is asked for; the rest is named', async () => {
  await expect(readAll(address, { offline: true })).rejects.toThrow(`expected ${JSON.stringify(address)} in`)
  await readAll(address)
  asked = []
  expect(await readAll(address, { offline: true })).toBe(true)
  expect(asked).toEqual([])
  await diskCache(folder).remove()
  await expect(readAll(address, { offline: true })).rejects.toThrow('load it once without offline')
  await expect(openSource(address, readOptions({ offline: true }))).rejects.toThrow(ConfigError)
})

test('two at once, and servers that do not say which state of a file they send, get by without the cache', async () => {
  const first = await open(address)
  const second = await open(address)
  expect(await second.read(8 * MiB, 4)).toEqual(file.slice(8 * MiB, 8 * MiB + 4))
  await Promise.all([first.close(), second.close()])
  await diskCache(folder).remove()
  etag = undefined
  expect(await readAll(address)).toBe(true)
  expect(await diskCache(folder).list()).toEqual([])
})
