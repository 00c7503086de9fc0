import { refuse } from '../refuse.ts'
import type { ByteSource } from '../source.ts'

/** A value that says something of a file: lists are kept where they are short and of numbers. */
export type GgufValue = string | number | bigint | boolean | readonly number[]

/** What a file says of one tensor. */
export interface GgufTensor {
  /** From the slowest to the fastest axis, as elsewhere; files have them the other way. */
  readonly shape: readonly number[]
  /** Its type by the number that ggml gives it. */
  readonly type: number
  /** First byte, counted from the start of the data. */
  readonly offset: number
}

export interface GgufHeader {
  readonly values: ReadonlyMap<string, GgufValue>
  readonly tensors: ReadonlyMap<string, GgufTensor>
  /** First byte of the data, counted from the start of the file. */
  readonly dataStart: number
}

const maxHeader = 100_000_000
const maxAxes = 8
const longestKept = 16

/**
 * The header of a GGUF file of version 2 or 3.
 * @throws {CheckpointError} if it is damaged, of another version, or big-endian
 * Source: ggml, docs/gguf.md.
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const { label } = source
  const cursor = new Cursor(source)
  await cursor.take(4)
  const version = await cursor.u32()
  if (version !== 2 && version !== 3) {
    const got = version > 0xffff ? 'a big-endian one' : `version ${version}`
    refuse(label, 'a GGUF file of version 2 or 3, little-endian', got, 'convert the model again')
  }
  const [tensorCount, valueCount] = [await cursor.u64(), await cursor.u64()]
  const values = new Map<string, GgufValue>()
  for (let i = 0; i < valueCount; i++) {
    const key = await cursor.text()
    const value = await readValue(label, cursor, await cursor.u32())
    if (value !== undefined) values.set(key, value)
  }
  const tensors = new Map<string, GgufTensor>()
  for (let i = 0; i < tensorCount; i++) {
    const name = await cursor.text()
    const axes = await cursor.u32()
    if (axes > maxAxes) refuse(label, `at most ${maxAxes} axes of ${JSON.stringify(name)}`, `${axes}`)
    const shape: number[] = []
    for (let axis = 0; axis < axes; axis++) shape.unshift(await cursor.u64())
    if (tensors.has(name)) refuse(label, 'one tensor of each name', `two called ${JSON.stringify(name)}`)
    tensors.set(name, { shape, type: await cursor.u32(), offset: await cursor.u64() })
  }
  const alignment = values.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || alignment < 1 || !Number.isInteger(alignment)) {
    refuse(label, 'general.alignment to be a whole number of 1 or more', String(alignment))
  }
  return { values, tensors, dataStart: Math.ceil(cursor.position / alignment) * alignment }
}

type Scalar = readonly [bytes: number, read: (view: DataView, at: number) => number | bigint | boolean]

/** Bytes and readers of scalars, by the number of their type. */
const scalars: Readonly<Record<number, Scalar>> = {
  0: [1, (v, at) => v.getUint8(at)],
  1: [1, (v, at) => v.getInt8(at)],
  2: [2, (v, at) => v.getUint16(at, true)],
  3: [2, (v, at) => v.getInt16(at, true)],
  4: [4, (v, at) => v.getUint32(at, true)],
  5: [4, (v, at) => v.getInt32(at, true)],
  6: [4, (v, at) => v.getFloat32(at, true)],
  7: [1, (v, at) => v.getUint8(at) !== 0],
  10: [8, (v, at) => v.getBigUint64(at, true)],
  11: [8, (v, at) => v.getBigInt64(at, true)],
  12: [8, (v, at) => v.getFloat64(at, true)],
}
const textType = 8
const listType = 9

async function readValue(label: string, cursor: Cursor, type: number): Promise<GgufValue | undefined> {
  if (type === textType) return cursor.text()
  const scalar = scalars[type]
  if (scalar) return scalar[1](await cursor.take(scalar[0]), 0)
  if (type !== listType) return refuse(label, 'values of types that GGUF has', `type ${type}`)
  const [inner, length] = [await cursor.u32(), await cursor.u64()]
  if (inner === textType) {
    for (let i = 0; i < length; i++) await cursor.text()
    return undefined
  }
  const item = scalars[inner]
  if (!item) return refuse(label, 'lists of texts or numbers', `one of type ${inner}`)
  const view = await cursor.take(item[0] * length)
  if (length > longestKept) return undefined
  return Array.from({ length }, (_, i) => Number(item[1](view, i * item[0])))
}

/** Reads on from the start of a file, in pieces. */
class Cursor {
  readonly #source: ByteSource
  #bytes = new Uint8Array(0)
  #start = 0
  position = 0

  constructor(source: ByteSource) {
    this.#source = source
  }

  /** The next bytes. */
  async take(length: number): Promise<DataView> {
    const { label, size } = this.#source
    const end = this.position + length
    if (!(end <= Math.min(size, maxHeader))) {
      const got = `one that goes on to byte ${end} of ${size}: the file is truncated or damaged`
      refuse(label, 'a header that ends in the file', got)
    }
    if (end > this.#start + this.#bytes.length) {
      const more = Math.min(size - this.position, Math.max(length, 2 ** 18))
      this.#bytes = await this.#source.read(this.position, more)
      this.#start = this.position
    }
    const view = new DataView(this.#bytes.buffer, this.position - this.#start, length)
    this.position = end
    return view
  }

  async u32(): Promise<number> {
    return (await this.take(4)).getUint32(0, true)
  }

  async u64(): Promise<number> {
    const value = Number((await this.take(8)).getBigUint64(0, true))
    return Number.isSafeInteger(value) ? value : refuse(this.#source.label, 'sizes below 2^53', `${value}`)
  }

  async text(): Promise<string> {
    const view = await this.take(await this.u64())
    return new TextDecoder().decode(view)
  }
}
