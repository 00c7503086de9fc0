import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { dtypes, bytesPerElement } from './dtype.ts'
import { encodeSafetensors, type SafetensorsEntry } from './encode-safetensors.ts'
import { readSafetensors } from './read-safetensors.ts'
import { writeSafetensors, type StreamedSafetensorsEntry } from './write-safetensors.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
  path = join(folder, 'model.safetensors')
})

afterEach(() => rm(folder, { recursive: true }))

const entry = (name: string, values: number[]): SafetensorsEntry => ({
  name,
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
})

/** Any valid checkpoint. */
const checkpoint = fc.uniqueArray(
  fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom(...dtypes), fc.array(fc.nat(3), { maxLength: 3 }))
    .filter(([name]) => name !== '__metadata__')
    .map(([name, dtype, shape]): SafetensorsEntry => {
      const bytes = shape.reduce((product, size) => product * size, bytesPerElement[dtype])
      return { name, dtype, shape, data: Uint8Array.from({ length: bytes }, (_, i) => (i * 37 + name.length) % 256) }
    }),
  { selector: ({ name }) => name },
)

describe('encodeSafetensors', () => {
  test('any checkpoint reads back as it was', async () => {
    const metadata = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
    await fc.assert(
      fc.asyncProperty(checkpoint, metadata, async (entries, strings) => {
        const file = await readSafetensors(encodeSafetensors(entries, strings))
        expect({ ...file.metadata }).toEqual({ ...strings })
        expect(file.tensors.size).toBe(entries.length)
        for (const { name, dtype, shape, data } of entries) {
          expect(file.tensors.get(name)).toMatchObject({ dtype, shape })
          expect(await file.read(name)).toEqual(data)
        }
      }),
    )
  })

  test('the data begins at a multiple of 8 and each tensor at a multiple of its element size', async () => {
    await fc.assert(
      fc.asyncProperty(checkpoint, async (entries) => {
        const bytes = encodeSafetensors(entries, { a: 'b' })
        const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))
        expect(start % 8).toBe(0)
        let offset = start
        for (const { dtype, byteLength } of (await readSafetensors(bytes)).tensors.values()) {
          expect(offset % bytesPerElement[dtype]).toBe(0)
          offset += byteLength
        }
      }),
    )
  })

  test('equal content gives equal bytes in any order of entries and metadata', () => {
    const a = encodeSafetensors([entry('a', [1]), entry('b', [2])], { x: '1', y: '2' })
    const b = encodeSafetensors([entry('b', [2]), entry('a', [1])], { y: '2', x: '1' })
    expect(a).toEqual(b)
  })

  test('names stand in the order of their UTF-8 bytes, as the reference implementation has them', async () => {
    const names = ['a', 'b', '\uffee', '\u{1f600}']
    const file = await readSafetensors(encodeSafetensors(names.toReversed().map((name) => entry(name, [1]))))
    expect([...file.tensors.keys()]).toEqual(names)
  })

  test.each<[string, SafetensorsEntry[], RegExp]>([
    ['a repeated name', [entry('a', [1]), entry('a', [2])], /distinct tensor names.*"a"/],
    ['the reserved name', [entry('__metadata__', [1])], /distinct tensor names other than __metadata__/],
    ['too few bytes', [{ ...entry('a', [1]), shape: [2] }], /8 bytes for tensor "a" \(F32 \[2\]\), got 4/],
    ['f32 values called f16', [{ ...entry('a', [1]), dtype: 'F16' }], /2 bytes for tensor "a".*encodeFloat32/],
    ['half a surrogate pair', [entry('\ud800', [1])], /tensor names of whole characters/],
    ['a negative size', [{ ...entry('a', [1]), shape: [-1] }], /sizes of at least 0/],
    ['a fractional size', [{ ...entry('a', [1]), shape: [0.5, 2] }], /sizes of at least 0/],
  ])('refuses %s', (_, entries, message) => {
    expect(() => encodeSafetensors(entries)).toThrow(CheckpointError)
    expect(() => encodeSafetensors(entries)).toThrow(message)
  })
})

describe('writeSafetensors', () => {
  test('writes the bytes that encodeSafetensors gives and leaves no other file', async () => {
    const entries = [entry('a', [1, 2]), entry('b', [3])]
    await writeSafetensors(path, entries, { metadata: { seed: '7' } })
    expect(new Uint8Array(await readFile(path))).toEqual(encodeSafetensors(entries, { seed: '7' }))
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  test('asks for one tensor at a time, in file order', async () => {
    const log: string[] = []
    const lazy = (name: string): StreamedSafetensorsEntry => ({
      ...entry(name, [1]),
      data: async () => {
        log.push(`begin ${name}`)
        await new Promise((done) => setTimeout(done, 1))
        log.push(`end ${name}`)
        return Float32Array.of(1)
      },
    })
    await writeSafetensors(path, [lazy('b'), lazy('a')])
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b'])
  })

  const broken: [string, () => ArrayBufferView | Promise<ArrayBufferView>, RegExp][] = [
    ['a failing tensor', () => Promise.reject(new Error('device lost')), /device lost/],
    ['a tensor of the wrong length', () => Float32Array.of(1, 2), /expected 4 bytes/],
  ]
  test.each(broken)('%s leaves the earlier file intact and no temporary one', async (_, data, message) => {
    await writeFile(path, 'earlier')
    await expect(writeSafetensors(path, [{ ...entry('a', [1]), data }])).rejects.toThrow(message)
    expect(await readFile(path, 'utf8')).toBe('earlier')
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  test('an abort between tensors rejects with its reason and leaves the earlier file intact', async () => {
    await writeFile(path, 'earlier')
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborts: StreamedSafetensorsEntry = {
      ...entry('a', [1]),
      data: () => {
        controller.abort(reason)
        return Float32Array.of(1)
      },
    }
    await expect(writeSafetensors(path, [aborts], { signal: controller.signal })).rejects.toBe(reason)
    expect(await readFile(path, 'utf8')).toBe('earlier')
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  test('a missing folder and a directory in the way are CheckpointErrors that name the path', async () => {
    const missing = join(folder, 'no', 'model.safetensors')
    await expect(writeSafetensors(missing, [])).rejects.toThrow(CheckpointError)
    await expect(writeSafetensors(missing, [])).rejects.toThrow(/no\/model\.safetensors.*no such folder/)
    await expect(writeSafetensors(folder, [entry('a', [1])])).rejects.toThrow(/a directory of that name/)
  })

  test.skipIf(process.platform === 'win32')('a device in the way is a CheckpointError, and stays', async () => {
    await expect(writeSafetensors('/dev/null', [])).rejects.toThrow(/\/dev\/null", got a device of that name/)
    expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  test('two writers of one path both succeed and leave one of the two files whole', async () => {
    const versions = [[entry('a', [1])], [entry('a', [2])]]
    await Promise.all(versions.map((entries) => writeSafetensors(path, entries)))
    const bytes = new Uint8Array(await readFile(path))
    expect(versions.map((entries) => String(encodeSafetensors(entries)))).toContain(String(bytes))
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })
})
