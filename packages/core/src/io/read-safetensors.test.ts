import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CheckpointError, DisposedError, UnsupportedError } from '../errors.ts'
import { encodeSafetensors, type SafetensorsEntry } from './encode-safetensors.ts'
import { readSafetensors } from './read-safetensors.ts'

const goldenPath = join(import.meta.dirname, 'golden.safetensors')

/** What tools/golden/safetensors_file.py stored, as f32. */
const golden: Record<string, number[]> = {
  f64: [1.5, -2, 65504, 2 ** -24],
  f32: [1.5, -2, 65504, 2 ** -24],
  f16: [1.5, -2, 65504, 2 ** -24],
  bf16: [1.5, -2],
  i64: [-(2 ** 40), 7],
  i32: [-(2 ** 31), 7],
  i16: [-(2 ** 15), 7],
  i8: [-128, 0, 7],
  u64: [2 ** 53],
  u32: [2 ** 32],
  u16: [65535],
  u8: [0, 127, 255],
  bool: [1, 0, 1],
  scalar: [0.25],
  empty: [],
  'na"me é\n': [3],
}

// Larger than the first range request, so that reads go over the network again.
const big = Float32Array.from({ length: 50_000 }, (_, i) => i)
const bigFile = encodeSafetensors([
  { name: 'big', dtype: 'F32', shape: [50, 1000], data: big },
  { name: 'small', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
])

const smallFile = encodeSafetensors(Array.from({ length: 200 }, (_, k) => (
  { name: `t${k}`, dtype: 'U8', shape: [1300], data: new Uint8Array(1300).fill(k) }
)))

let folder: string
let server: Server
let base: string
const ranges: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
  await writeFile(join(folder, 'big.safetensors'), bigFile)
  await writeFile(join(folder, 'small.safetensors'), smallFile)
  server = createServer((request, response) => void serve(request.url ?? '', request.headers.range, response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listening on a port, not a pipe
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  await rm(folder, { recursive: true })
})

type Reply = { writeHead(status: number, headers?: Record<string, string>): Reply; end(body?: Uint8Array): unknown }

/** /files/NAME serves ranges; /whole ignores them, /short breaks its promise, /long sends more than was asked for. */
async function serve(url: string, range: string | undefined, response: Reply): Promise<void> {
  const [, kind, name] = url.split('/')
  const file = await readFile(join(folder, decodeURIComponent(name ?? ''))).catch(() => undefined)
  if (file === undefined) return void response.writeHead(404).end()
  if (kind === 'whole') return void response.writeHead(200).end(file)
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(range ?? '') ?? []
  ranges.push(`${from}-${to}`)
  const begin = Number(from)
  const end = Math.min(Number(to) + 1, file.length)
  if (begin >= file.length) return void response.writeHead(416).end()
  const extra = kind === 'short' ? -1 : kind === 'long' ? 1 : 0
  const body = new Uint8Array(end - begin + extra)
  body.set(file.subarray(begin, end + extra))
  response.writeHead(206, { 'content-range': `bytes ${begin}-${end - 1}/${file.length}` }).end(body)
}

describe('a file of the reference implementation', () => {
  test('reads back with names, shapes, metadata and values of every dtype', async () => {
    await using file = await readSafetensors(goldenPath)
    expect(file.metadata).toEqual({ format: 'pt' })
    expect(file.tensors.get('f32')).toMatchObject({ dtype: 'F32', shape: [2, 2], byteLength: 16 })
    expect(file.tensors.get('scalar')).toMatchObject({ shape: [], byteLength: 4 })
    for (const [name, values] of Object.entries(golden)) expect([...(await file.readFloat32(name))]).toEqual(values)
    expect(file.tensors.size).toBe(Object.keys(golden).length + 2)
  })

  test('gives F8 tensors as bytes only', async () => {
    await using file = await readSafetensors(goldenPath)
    expect(await file.read('f8_e4m3')).toEqual(Uint8Array.of(0x38, 0xc0))
    await expect(file.readFloat32('f8_e5m2')).rejects.toThrow(UnsupportedError)
  })

  test('encodes to the same bytes again, whatever the order of the entries', async () => {
    const bytes = await readFile(goldenPath)
    await using file = await readSafetensors(bytes)
    const entries: SafetensorsEntry[] = []
    for await (const { bytes: data, ...entry } of file.stream()) entries.push({ ...entry, data })
    expect(Buffer.from(encodeSafetensors(entries.toReversed(), file.metadata)).equals(bytes)).toBe(true)
  })
})

function unaligned(bytes: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(bytes.length + 1)
  shifted.set(bytes, 1)
  return shifted.subarray(1)
}

describe('every source gives the same tensors', () => {
  const sources: [string, () => string | URL | Blob | Uint8Array][] = [
    ['path', () => join(folder, 'big.safetensors')],
    ['file URL', () => pathToFileURL(join(folder, 'big.safetensors'))],
    ['http URL', () => new URL(`${base}/files/big.safetensors`)],
    ['http address', () => `${base}/files/big.safetensors`],
    ['Blob', () => new Blob([bigFile])],
    ['File', () => new File([bigFile], 'big.safetensors')],
    ['Uint8Array', () => bigFile],
    ['unaligned Uint8Array', () => unaligned(bigFile)],
  ]
  test.each(sources)('%s', async (_, source) => {
    await using file = await readSafetensors(source())
    expect([...file.tensors.keys()]).toEqual(['big', 'small'])
    expect(await file.readFloat32('big')).toEqual(big)
    expect(await file.read('small')).toEqual(Uint8Array.of(1, 2, 3))
    expect((await file.read('big')).byteOffset).toBe(0)
  })

  test('over HTTP only the header and the tensors asked for are transferred', async () => {
    ranges.length = 0
    await using file = await readSafetensors(`${base}/files/big.safetensors`)
    await file.read('small')
    const start = bigFile.length - 3
    expect(ranges).toEqual(['0-65535', `${start}-${start + 2}`])
  })

  test('over HTTP what is read ahead serves the reads behind it, in either order', async () => {
    await using plain = await readSafetensors(join(folder, 'small.safetensors'))
    ranges.length = 0
    await using file = await readSafetensors(`${base}/files/small.safetensors`, { readAhead: 100_000 })
    const names = [...file.tensors.keys()]
    for (const name of [...names, ...names.slice(50, 60), names.at(-1)!]) expect(await file.read(name)).toEqual(await plain.read(name))
    // 200,000 bytes behind the first 65,536, the last of which are read again, and two ways back.
    expect(ranges).toHaveLength(1 + 3 + 2)
    expect(ranges.every((range) => Number(range.split('-')[1]) < smallFile.length)).toBe(true)
  })
})

describe('missing, truncated and unwilling sources', () => {
  const failure = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(CheckpointError)
    return String(error)
  }

  test('a missing file: the message has the whole path and what to do', async () => {
    const message = await failure(readSafetensors(join(folder, 'none.safetensors')))
    expect(message).toContain(join(folder, 'none.safetensors'))
    expect(message).toContain('no such file; check the path')
  })

  test('a directory', async () => {
    expect(await failure(readSafetensors(folder))).toContain('a directory; name the .safetensors file')
  })

  test('a file cut after its header was read', async () => {
    const path = join(folder, 'cut.safetensors')
    await writeFile(path, bigFile)
    await using file = await readSafetensors(path)
    await truncate(path, 1000)
    expect(await failure(file.read('big'))).toContain('the file ended early')
  })

  test('a tensor that is not there: the message lists names', async () => {
    await using file = await readSafetensors(bigFile)
    expect(await failure(file.read('bigg'))).toMatch(/named "bigg", got 2 others \("big", "small"\)/)
    expect(await failure(file.readFloat32('bigg'))).toMatch(/named "bigg"/)
  })

  test.each([
    ['files/none.safetensors', /status 404; there is no such file/],
    ['whole/big.safetensors', /status 200; the server does not serve ranges/],
    ['short/big.safetensors', /expected 65536 bytes at offset 0, got/],
    ['long/big.safetensors', /expected 65536 bytes at offset 0, got 65537/],
  ])('the server at %s', async (path, message) => {
    expect(await failure(readSafetensors(`${base}/${path}`))).toMatch(message)
  })

  test('an empty file behind HTTP', async () => {
    await writeFile(join(folder, 'empty.safetensors'), '')
    expect(await failure(readSafetensors(`${base}/files/empty.safetensors`))).toContain('the file is empty')
  })

  test('no server at all, and no address at all', async () => {
    expect(await failure(readSafetensors('http://127.0.0.1:1/x.safetensors'))).toContain('expected an answer')
    expect(await failure(readSafetensors('http://'))).toContain('check its spelling')
  })
})

describe('life of an open file', () => {
  test('reading after close is a DisposedError and closing twice is harmless', async () => {
    const file = await readSafetensors(join(folder, 'big.safetensors'))
    await file.close()
    await file.close()
    await expect(file.read('small')).rejects.toThrow(DisposedError)
    await expect(file.stream()[Symbol.asyncIterator]().next()).rejects.toThrow(DisposedError)
  })

  test('an aborted signal rejects with its reason, at opening and at each read', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const file = await readSafetensors(`${base}/files/big.safetensors`, { signal: controller.signal })
    controller.abort(reason)
    await expect(file.read('small')).rejects.toBe(reason)
    await expect(readSafetensors(bigFile, { signal: controller.signal })).rejects.toBe(reason)
    await expect(readSafetensors(`${base}/files/x`, { signal: controller.signal })).rejects.toBe(reason)
  })

  test('what a read returns is the caller’s: changing it changes nothing', async () => {
    await using file = await readSafetensors(bigFile)
    const first = await file.read('small')
    first.fill(9)
    expect(await file.read('small')).toEqual(Uint8Array.of(1, 2, 3))
  })
})

describe('sharded checkpoints', () => {
  const shard = (name: string, value: number): Uint8Array =>
    encodeSafetensors([{ name, dtype: 'F32', shape: [1], data: Float32Array.of(value) }], { from: name })

  const writeIndex = async (name: string, content: unknown): Promise<string> => {
    const path = join(folder, `${name}.safetensors.index.json`)
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }

  beforeAll(async () => {
    await writeFile(join(folder, 'm-1 of 2.safetensors'), shard('a', 1))
    await writeFile(join(folder, 'm-2 of 2.safetensors'), shard('b', 2))
    await writeIndex('m', { metadata: {}, weight_map: { b: 'm-2 of 2.safetensors', a: 'm-1 of 2.safetensors' } })
  })

  test.each(['path', 'url'])('open as one by %s', async (kind) => {
    const name = 'm.safetensors.index.json'
    await using file = await readSafetensors(kind === 'path' ? join(folder, name) : new URL(`${base}/files/${name}`))
    const all: Record<string, number[]> = {}
    for await (const { name: key, bytes } of file.stream()) all[key] = [...new Float32Array(bytes.buffer)]
    expect(all).toEqual({ a: [1], b: [2] })
    expect(await file.readFloat32('a')).toEqual(Float32Array.of(1))
    await expect(file.read('c')).rejects.toThrow(CheckpointError)
    await file.close()
    await expect(file.read('a')).rejects.toThrow(DisposedError)
  })

  test.each([
    ['reaches into another folder', { weight_map: { a: '../m-1 of 2.safetensors' } }, /plain .* file names/],
    ['reaches to an absolute path', { weight_map: { a: '/etc/x.safetensors' } }, /plain .* file names/],
    ['names something else', { weight_map: { a: 'model.bin' } }, /plain .* file names/],
    ['names no string', { weight_map: { a: 1 } }, /plain .* file names/],
    ['has no map', { weights: {} }, /weight_map object/],
    ['has a list as map', { weight_map: [] }, /weight_map object/],
    ['is no object', 'null', /weight_map object/],
    ['is no JSON', '{', /valid UTF-8 JSON/],
    ['names a tensor twice', '{"weight_map":{"a":"m-1 of 2.safetensors","a":"m-2 of 2.safetensors"}}', /the key "a" twice/],
    ['maps to 8,000 brackets', `{"weight_map":${'['.repeat(8000)}${']'.repeat(8000)}}`, /weight_map object .* got \[{77}/],
    ['has 8,000 brackets beside its map', `{"more":${'['.repeat(8000)}${']'.repeat(8000)}}`, /more than 127 levels/],
    ['misplaces a tensor', { weight_map: { a: 'm-2 of 2.safetensors' } }, /tensor "a" in "m-2 of 2/],
    ['names a missing shard', { weight_map: { a: 'gone.safetensors' } }, /gone\.safetensors.*no such file/],
  ])('an index that %s is refused', async (_, content, message) => {
    const error = await readSafetensors(await writeIndex('bad', content)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CheckpointError)
    expect(String(error)).toMatch(message)
  })
})
