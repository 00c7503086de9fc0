import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '../errors.ts'
import { encodeSafetensors } from './encode-safetensors.ts'
import { readSafetensors } from './read-safetensors.ts'

/** Larger than the first range request, so that a read goes over the network again. */
const fileOf = (value: number): Uint8Array =>
  encodeSafetensors([{ name: 'big', dtype: 'F32', shape: [20_000], data: new Float32Array(20_000).fill(value) }])

type Answer = { readonly file?: Uint8Array; readonly headers?: Readonly<Record<string, string>> | undefined; readonly silent?: 'before' | 'within' }

let answers: Answer[] = []
let server: Server
let folder: string
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'antipode-sources-'))
  server = createServer((request, response) => { answer(request.headers.range ?? '', response, answers.shift() ?? {}) })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors` // a port, not a pipe
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  await rm(folder, { recursive: true })
})

function answer(range: string, response: ServerResponse, { file = fileOf(1), headers = {}, silent }: Answer): void {
  if (silent === 'before') return
  const [from = 0, to = 0] = range.slice('bytes='.length).split('-').map(Number)
  const end = Math.min(to + 1, file.length)
  response.writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/${file.length}`, ...headers })
  if (silent === 'within') response.write(file.subarray(from, from + 100))
  else response.end(file.subarray(from, end))
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(CheckpointError)
  return String(error)
}

const etag = (value: string): Answer['headers'] => ({ etag: `"${value}"` })
const date = (day: number): Answer['headers'] => ({ 'last-modified': `Mon, 0${day} Nov 2026 00:00:00 GMT` })

test.each<[string, Answer, Answer, RegExp]>([
  ['another ETag', { headers: etag('a') }, { file: fileOf(2), headers: etag('b') }, /one of the ETag "b" instead of "a"/],
  ['an ETag no more', { headers: etag('a') }, { file: fileOf(2) }, /one of the ETag null instead of "a"/],
  ['another date', { headers: date(1) }, { file: fileOf(2), headers: date(2) }, /one of Mon, 02 Nov .* instead of Mon, 01 Nov/],
  ['another size', {}, { file: fileOf(1).subarray(0, 70_000) }, /one of 70000 bytes instead of/],
])('a file behind HTTP that is replaced while it is read is refused by name: %s', async (_, first, second, message) => {
  answers = [first, second]
  await using file = await readSafetensors(url)
  const text = await failure(file.read('big'))
  expect(text).toMatch(message)
  expect(text).toContain(url)
})

test('servers behind one address may keep their own dates: the ETag decides', async () => {
  answers = [{ headers: { ...etag('a'), ...date(1) } }, { headers: { ...etag('a'), ...date(2) } }]
  await using file = await readSafetensors(url)
  expect((await file.readFloat32('big'))[0]).toBe(1)
})

test('an answer whose size lies below the bytes asked for is refused', async () => {
  answers = [{ headers: { 'content-range': 'bytes 0-9/0' } }]
  expect(await failure(readSafetensors(url))).toContain('status 206')
})

test('a silent server ends in an error after the timeout, before its answer and within it', async () => {
  answers = [{ silent: 'before' }, { silent: 'within' }, {}, { silent: 'within' }]
  expect(await failure(readSafetensors(url, { timeout: 30 }))).toContain('got none within 30 ms')
  expect(await failure(readSafetensors(url, { timeout: 500 }))).toContain('got 100 and then nothing more for 500 ms')
  await using file = await readSafetensors(url, { timeout: 500 })
  expect(await failure(file.read('big'))).toContain('got 100 and then nothing more for 500 ms')
})

test('an abort ends the wait for a silent server with its reason', async () => {
  answers = [{ silent: 'before' }]
  const reason = new TypeError('enough')
  const controller = new AbortController()
  setTimeout(() => { controller.abort(reason) }, 20)
  await expect(readSafetensors(url, { signal: controller.signal })).rejects.toBe(reason)
})

test.each([{ timeout: 0 }, { timeout: 1.5 }, { timeout: 2 ** 31 }, { timeout: Infinity }, { timeOut: 9 }])('%j is no option', async (options) => {
  await expect(readSafetensors(fileOf(1), options)).rejects.toThrow(ConfigError)
})

test('a file that is written to while it is read is refused by name, though its size is the same', async () => {
  const path = join(folder, 'written.safetensors')
  await writeFile(path, fileOf(1))
  await using file = await readSafetensors(path)
  await writeFile(path, fileOf(2))
  // Clocks of disks tick slowly: as if it had taken a second.
  await utimes(path, new Date(), new Date(Date.now() + 1000))
  const text = await failure(file.read('big'))
  expect(text).toContain(path)
  expect(text).toContain('one written to since')
})

test.skipIf(process.platform === 'win32')('a FIFO, a socket and a device are refused by name, before they are opened', async () => {
  const fifo = join(folder, 'fifo.safetensors')
  execFileSync('mkfifo', [fifo])
  expect(await failure(readSafetensors(fifo))).toMatch(/fifo\.safetensors", got a FIFO/)
  const path = join(folder, 'socket.safetensors')
  const socket = createSocket()
  await new Promise<void>((done) => socket.listen(path, done))
  expect(await failure(readSafetensors(path))).toContain('got a socket')
  await new Promise((done) => socket.close(done))
  expect(await failure(readSafetensors('/dev/zero'))).toContain('got a device')
})
