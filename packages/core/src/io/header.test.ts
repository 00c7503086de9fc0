import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { readSafetensors } from './read-safetensors.ts'

const encoder = new TextEncoder()

/** A file from raw header text; `declared` overrides the length that is written. */
function fileOf(header: string | Uint8Array, dataBytes: number, declared?: bigint): Uint8Array {
  const json = typeof header === 'string' ? encoder.encode(header) : header
  const file = new Uint8Array(8 + json.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, declared ?? BigInt(json.length), true)
  file.set(json, 8)
  return file
}

const tensor = (begin: unknown, end: unknown, shape: unknown = [1], dtype: unknown = 'F32'): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] })

const one = tensor(0, 4)

/** Deeper than any recursion goes. */
const tower = `${'['.repeat(8000)}${']'.repeat(8000)}`

const hostile: [what: string, file: Uint8Array, message: RegExp][] = [
  ['an empty file', new Uint8Array(0), /at least 8 bytes, got 0/],
  ['a file shorter than the length', new Uint8Array(5), /at least 8 bytes, got 5/],
  ['a file of zeros', new Uint8Array(64), /begins with '\{'/],
  ['a header that runs past the end', fileOf('{}', 0, 3n), /header of 3 bytes, got 2/],
  ['a header over 100 MB', fileOf('{}', 0, 100_000_001n), /at most 100000000 bytes, got 100000001/],
  ['the largest length there is', fileOf('{}', 0, 2n ** 64n - 1n), /at most 100000000 bytes/],
  ['leading white space', fileOf(' {}', 0), /begins with '\{'/],
  ['invalid JSON', fileOf('{"a":', 0), /valid UTF-8 JSON/],
  ['invalid UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 0), /valid UTF-8 JSON/],
  ['text after the object', fileOf('{}{}', 0), /valid UTF-8 JSON/],
  ['a tensor that is no object', fileOf('{"a":[1]}', 0), /tensor "a" to be an object/],
  ['a missing field', fileOf('{"a":{"dtype":"F32","shape":[1]}}', 4), /data_offsets/],
  ['an unknown dtype', fileOf(`{"a":${tensor(0, 4, [1], 'F31')}}`, 4), /one of .*, got "F31"/],
  ['a dtype from the prototype', fileOf(`{"a":${tensor(0, 4, [1], 'toString')}}`, 4), /got "toString"/],
  ['a negative dimension', fileOf(`{"a":${tensor(0, 4, [-1])}}`, 4), /integers in \[0, 2\^53\)/],
  ['two negative dimensions', fileOf(`{"a":${tensor(0, 4, [-1, -1])}}`, 4), /integers in \[0, 2\^53\)/],
  ['a fractional dimension', fileOf(`{"a":${tensor(0, 4, [0.5, 2])}}`, 4), /integers in \[0, 2\^53\)/],
  ['a dimension beyond 2^53', fileOf(`{"a":${tensor(0, 4, [2 ** 53])}}`, 4), /integers in \[0, 2\^53\)/],
  ['an infinite dimension', fileOf('{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}', 4), /integers/],
  ['a product of dimensions beyond 2^53', fileOf(`{"a":${tensor(0, 4, [2 ** 40, 2 ** 40])}}`, 4), /to take Infinity/],
  ['such a product times zero', fileOf(`{"a":${tensor(0, 0, [2 ** 40, 2 ** 40, 0])}}`, 0), /to take Infinity/],
  ['offsets beyond 2^53', fileOf(`{"a":${tensor(0, 2 ** 53 + 2)}}`, 4), /data_offsets/],
  ['negative offsets', fileOf(`{"a":${tensor(-4, 0)}}`, 4), /data_offsets/],
  ['offsets in reverse', fileOf(`{"a":${tensor(4, 0)}}`, 4), /data_offsets/],
  ['one offset', fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}', 4), /data_offsets/],
  ['bytes that do not fit the shape', fileOf(`{"a":${tensor(0, 8)}}`, 8), /to take 4 bytes, got 8/],
  ['an overlap', fileOf(`{"a":${one},"b":${tensor(2, 6)}}`, 6), /begin at data byte 4, got 2: an overlap/],
  ['one tensor twice under two names', fileOf(`{"a":${one},"b":${one}}`, 4), /an overlap/],
  ['an empty tensor inside another', fileOf(`{"a":${one},"b":${tensor(2, 2, [0])}}`, 4), /an overlap/],
  ['a gap', fileOf(`{"a":${one},"b":${tensor(5, 9)}}`, 9), /begin at data byte 4, got 5: a gap/],
  ['a gap at the start', fileOf(`{"a":${tensor(1, 5)}}`, 5), /begin at data byte 0, got 1: a gap/],
  ['truncated data', fileOf(`{"a":${one}}`, 3), /4 bytes of tensor data, got 3: the file is truncated/],
  ['data of no tensor', fileOf(`{"a":${one}}`, 5), /got 5: bytes belong to no tensor/],
  ['a duplicate tensor', fileOf(`{"a":${one},"a":${one}}`, 4), /the key "a" twice/],
  ['a duplicate in another spelling', fileOf(`{"a":${one},"\\u0061":${one}}`, 4), /the key "a" twice/],
  ['a duplicate field', fileOf(`{"a":{"dtype":"F32",${one.slice(1)}}`, 4), /the key "dtype" twice/],
  ['duplicate metadata', fileOf('{"__metadata__":{"k":"1","k":"2"}}', 0), /the key "k" twice/],
  ['a field nested deeper than the reference reads', fileOf(`{"a":{"more":${'['.repeat(126)}${']'.repeat(126)},${one.slice(1)}}`, 4), /more than 127 levels/],
  ['a size written as a fraction', fileOf('{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', 4), /integers in .*, got \[1\.0\]/],
  ['an offset written with an exponent', fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4e0]}}', 4), /data_offsets .*, got \[0,4e0\]/],
  ['a size of minus zero', fileOf('{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', 0), /integers in .*, got \[-0\]/],
  ['half a surrogate pair in a name', fileOf(`{"\\ud800":${one}}`, 4), /half a surrogate pair/],
  ['half a surrogate pair in a value', fileOf('{"__metadata__":{"k":"\\udfff"}}', 0), /half a surrogate pair/],
  ['a number that no float holds', fileOf(`{"a":{"more":1e999,${one.slice(1)}}`, 4), /no float holds/],
  ['a raw line feed in a name', fileOf(`{"\n":${one}}`, 4), /control characters/],
  ...['dtype', 'shape', 'data_offsets', 'more'].map((field): [string, Uint8Array, RegExp] =>
    [`8,000 brackets as ${field}`, fileOf(`{"a":{"${field}":${tower},"dtype":"F32"}}`, 4), /expected .*, got/]),
  ['8,000 brackets as metadata', fileOf(`{"__metadata__":${tower}}`, 0), /__metadata__ to be an object of strings, got \[{77}\.\.\./],
  ['8,000 brackets as a value of metadata', fileOf(`{"__metadata__":{"k":${tower}}}`, 0), /metadata "k" to be a string/],
  ['8,000 brackets as a tensor', fileOf(`{"a":${tower}}`, 4), /tensor "a" to be an object/],
  ['metadata that is no object', fileOf('{"__metadata__":[]}', 0), /__metadata__ to be an object/],
  ['metadata that is no string', fileOf('{"__metadata__":{"k":1}}', 0), /metadata "k" to be a string/],
  ['a zip archive of torch', encoder.encode('PK\u0003\u0004\0\0\b\bmodel/data.pkl'), /pickle.*save_file/],
  ['a bare pickle', Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20), /pickle.*save_file/],
]

describe('readSafetensors refuses', () => {
  test.each(hostile)('%s', async (_, file, message) => {
    const error = await readSafetensors(file).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CheckpointError)
    expect(String(error)).toMatch(message)
  })
})

describe('readSafetensors accepts', () => {
  test('a file without tensors', async () => {
    const file = await readSafetensors(fileOf('{}   ', 0))
    expect([file.tensors.size, file.metadata]).toEqual([0, {}])
  })

  test('tensors in any header order, in file order', async () => {
    const file = await readSafetensors(fileOf(`{"b":${tensor(4, 8)},"a":${one},"none":${tensor(4, 4, [0])}}`, 8))
    expect([...file.tensors.keys()]).toEqual(['a', 'none', 'b'])
  })

  test('names that collide with object internals', async () => {
    const file = await readSafetensors(fileOf(`{"__proto__":${one},"constructor":${tensor(4, 8)}}`, 8))
    expect([...file.tensors.keys()]).toEqual(['__proto__', 'constructor'])
  })

  test('fields that the format does not have, whatever they hold', async () => {
    const more = `${'['.repeat(124)}2.5,-1e-3,null,{"k":"\\u00e9"}${']'.repeat(124)}`
    const file = await readSafetensors(fileOf(`{"a":{"more":${more},${one.slice(1)}}`, 4))
    expect(file.tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [1] })
  })

  test('equal keys in different objects, and braces inside strings', async () => {
    const file = await readSafetensors(
      fileOf(`{"__metadata__":{"a":"x","shape":"{\\"a\\": [}"},"a":${one},"b":${tensor(4, 8)}}`, 8),
    )
    expect(file.metadata).toEqual({ a: 'x', shape: '{"a": [}' })
  })
})

describe('for any bytes the outcome is a checkpoint or a CheckpointError', () => {
  const outcome = async (file: Uint8Array): Promise<void> => {
    try {
      const opened = await readSafetensors(file)
      for await (const { bytes, name } of opened.stream()) {
        expect(bytes.byteLength).toBe(opened.tensors.get(name)?.byteLength)
      }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
    }
  }

  test('arbitrary bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), outcome), { numRuns: 500 })
  })

  test('arbitrary header bytes under a right length', async () => {
    const file = fc.tuple(fc.uint8Array({ maxLength: 64 }), fc.nat(16)).map(([json, data]) => fileOf(json, data))
    await fc.assert(fc.asyncProperty(file, outcome), { numRuns: 500 })
  })

  test('arbitrary JSON', async () => {
    const file = fc.tuple(fc.json({ maxDepth: 6 }), fc.nat(16)).map(([json, data]) => fileOf(json, data))
    await fc.assert(fc.asyncProperty(file, outcome), { numRuns: 500 })
  })

  test('headers of the right form with arbitrary fields', async () => {
    const odd = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom(0, 1, 4, 8, 2 ** 53, -1, 0.5))
    const entry = fc.record({
      dtype: fc.oneof(fc.constantFrom('F32', 'BF16', 'U8'), odd),
      shape: fc.oneof(fc.array(fc.nat(4)), odd),
      data_offsets: fc.oneof(fc.tuple(fc.nat(16), fc.nat(16)), odd),
    })
    const file = fc
      .tuple(fc.dictionary(fc.string(), entry), fc.nat(32))
      .map(([header, data]) => fileOf(JSON.stringify(header), data))
    await fc.assert(fc.asyncProperty(file, outcome), { numRuns: 1000 })
  })

  test('a valid file with one byte changed, dropped or cut off', async () => {
    const valid = fileOf(`{"__metadata__":{"k":"v"},"a":${one},"b":${tensor(4, 8, [2, 1], 'F16')}}`, 8)
    const mutation = fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.constantFrom('set', 'drop', 'cut'))
    const file = mutation.map(([at, value, kind]) => {
      if (kind === 'cut') return valid.slice(0, at)
      return kind === 'set' ? valid.with(at, value) : Uint8Array.from([...valid.slice(0, at), ...valid.slice(at + 1)])
    })
    await fc.assert(fc.asyncProperty(file, outcome), { numRuns: 1000 })
  })
})
