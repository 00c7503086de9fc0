import { CheckpointError } from '../errors.ts'
import { dtypes, isSafetensorsDType, type SafetensorsDType } from './dtype.ts'
import { byteLengthOf, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, quote } from './header.ts'

/** One tensor to write: row-major values in memory, little-endian as all hosts of JavaScript keep them. */
export interface SafetensorsEntry<Data = ArrayBufferView> {
  readonly name: string
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
  /** Exactly the tensor's bytes, in any view: a Float32Array for F32, a Uint16Array of codes for F16 or BF16, … */
  readonly data: Data
}

export interface Layout<Entry> {
  /** The file up to its first data byte: length and JSON, padded with spaces to a multiple of 8. */
  readonly header: Uint8Array<ArrayBuffer>
  /** The entries in file order. */
  readonly ordered: readonly Entry[]
  readonly dataBytes: number
}

/**
 * Order and header of a file. Wide dtypes come first, then names in order, so equal content gives equal bytes, and
 * they are those of the reference implementation (metadata keys are sorted too).
 *
 * @throws {CheckpointError} if a name repeats or is reserved, or a dtype or shape is invalid.
 */
export function layoutOf<Entry extends SafetensorsEntry<unknown>>(
  op: string,
  entries: Iterable<Entry>,
  metadata: Readonly<Record<string, string>>,
): Layout<Entry> {
  const rank = (entry: Entry): number => dtypes.indexOf(entry.dtype)
  const ordered = [...entries].sort((a, b) => rank(b) - rank(a) || byCodePoint(a.name, b.name))
  const fields: string[] = []
  const keys = Object.keys(metadata).sort(byCodePoint)
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadataValue(op, key, metadata[key]))}`)
    fields.push(`"${METADATA_KEY}":{${pairs.join(',')}}`)
  }
  const seen = new Set([METADATA_KEY])
  let end = 0
  for (const { name, dtype, shape } of ordered) {
    checkText(op, 'tensor names', name)
    if (seen.has(name)) refuse(op, `distinct tensor names other than ${METADATA_KEY}`, quote(name), 'rename one')
    seen.add(name)
    const begin = end
    end += checkedBytes(op, name, dtype, shape)
    const field = { dtype, shape, data_offsets: [begin, end] }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(field)}`)
  }
  return { header: headerBytes(op, `{${fields.join(',')}}`), ordered, dataBytes: end }
}

function headerBytes(op: string, json: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json)
  const padded = Math.ceil(text.byteLength / 8) * 8
  if (padded > MAX_HEADER_BYTES) {
    refuse(op, `a header of at most ${MAX_HEADER_BYTES} bytes`, `${padded}`, 'write fewer tensors or less metadata')
  }
  const header = new Uint8Array(LENGTH_BYTES + padded).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true)
  header.set(text, LENGTH_BYTES)
  return header
}

function metadataValue(op: string, key: string, value: unknown): string {
  checkText(op, 'metadata keys', key)
  if (typeof value === 'string') {
    checkText(op, `metadata ${quote(key)}`, value)
    return value
  }
  return refuse(op, `metadata ${quote(key)} to be a string`, quote(value), 'use JSON.stringify for structured values')
}

/** The order of UTF-8 bytes, which is the reference implementation's; that of JavaScript differs beyond U+FFFF. */
function byCodePoint(a: string, b: string): number {
  let i = 0
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1)
}

/** UTF-8 has no half of a surrogate pair: written as an escape, no reader would take the file. */
function checkText(op: string, what: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) refuse(op, `${what} of whole characters`, quote(text), 'remove the half of a surrogate pair')
}

function checkedBytes(op: string, name: string, dtype: unknown, shape: readonly number[]): number {
  if (!isSafetensorsDType(dtype)) {
    return refuse(op, `tensor ${quote(name)} to have one of ${dtypes.join(', ')}`, quote(dtype), 'convert it first')
  }
  const bytes = byteLengthOf(dtype, shape)
  if (shape.every((size) => Number.isSafeInteger(size) && size >= 0) && Number.isSafeInteger(bytes)) return bytes
  return refuse(op, `tensor ${quote(name)} to have sizes of at least 0`, quote(shape), 'pass the shape of its data')
}

/** The bytes of an entry's data. @throws {CheckpointError} if their number does not fit its dtype and shape. */
export function bytesOf(op: string, entry: SafetensorsEntry<unknown>, data: ArrayBufferView): Uint8Array {
  const { name, dtype, shape } = entry
  const expected = byteLengthOf(dtype, shape)
  if (data.byteLength !== expected) {
    const tensor = `${expected} bytes for tensor ${quote(name)} (${dtype} ${quote(shape)})`
    refuse(op, tensor, `${data.byteLength}`, 'convert the values to the dtype first, for example with encodeFloat32')
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

function refuse(op: string, expected: string, got: string, advice: string): never {
  throw new CheckpointError(`${op}: expected ${expected}, got ${got}; ${advice}`)
}

/**
 * A whole safetensors file in memory, for browsers and small checkpoints. The bytes depend on the content alone, not
 * on the order of entries or metadata.
 *
 * @throws {CheckpointError} if a name repeats, or a dtype, shape or byte count is wrong.
 */
export function encodeSafetensors(
  entries: Iterable<SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { header, ordered, dataBytes } = layoutOf('encodeSafetensors', entries, metadata)
  const file = new Uint8Array(header.byteLength + dataBytes)
  file.set(header)
  let offset = header.byteLength
  for (const entry of ordered) {
    const bytes = bytesOf('encodeSafetensors', entry, entry.data)
    file.set(bytes, offset)
    offset += bytes.byteLength
  }
  return file
}
