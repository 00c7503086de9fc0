import { CheckpointError } from '../errors.ts'
import { bytesPerElement, dtypes, isSafetensorsDType, type SafetensorsDType } from './dtype.ts'
import { JsonError, JsonReader } from './json-reader.ts'

/** What a header says of one tensor. */
export interface SafetensorsInfo {
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
  readonly byteLength: number
}

export interface LocatedTensor extends SafetensorsInfo {
  /** First byte, counted from the start of the file. */
  readonly begin: number
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  /** In file order. */
  readonly tensors: ReadonlyMap<string, LocatedTensor>
}

/** Bytes before the JSON: its length, little-endian. */
export const LENGTH_BYTES = 8
/** The reference implementation's limit: a longer header is an attack, not a model. */
export const MAX_HEADER_BYTES = 100_000_000
export const METADATA_KEY = '__metadata__'

const OPEN_BRACE = 0x7b

/** A quoted, shortened rendering of a name, or of a list of numbers, for messages. */
export function quote(value: unknown): string {
  const part = Array.isArray(value) ? value.slice(0, 40) : typeof value === 'string' ? value.slice(0, 80) : value
  const text = JSON.stringify(part) ?? String(part)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function refuse(label: string, expected: string, got: string, advice = 'download or export the file again'): never {
  throw new CheckpointError(`readSafetensors: ${label}: expected ${expected}, got ${got}; ${advice}`)
}

/** zip archives (torch.save since 1.6, .npz) begin with PK 3 4, bare pickles with 0x80 and a protocol number. */
function isPickle(start: Uint8Array): boolean {
  const [a, b, c, d] = start
  return (a === 0x50 && b === 0x4b && c === 3 && d === 4) || (a === 0x80 && b !== undefined && b >= 2 && b <= 5)
}

/**
 * Length of the JSON header, from the first nine bytes of the file (fewer if the file is shorter).
 *
 * @throws {CheckpointError} if these cannot begin a safetensors file of `fileSize` bytes.
 */
export function headerLength(label: string, start: Uint8Array, fileSize: number): number {
  if (isPickle(start) && start[LENGTH_BYTES] !== OPEN_BRACE) {
    refuse(
      label,
      'a safetensors file',
      'a pickle or zip archive (.ckpt, .pt, .bin), which can run code when loaded',
      "open it with readTensors, which runs nothing of it, or convert it in Python: " +
        "safetensors.torch.save_file(torch.load(path, map_location='cpu', weights_only=True), 'model.safetensors') " +
        "(take the 'state_dict' entry first where there is one)",
    )
  }
  const text = String.fromCharCode(...start)
  if (/^\s*<(!doctype|html)/i.test(text) || text.startsWith('<?xml')) {
    refuse(label, 'a safetensors file', 'a web page', 'download the file itself: its page has a link to it, with /resolve/ for /blob/')
  }
  if (text.startsWith('version h')) {
    refuse(label, 'a safetensors file', 'a Git LFS pointer to one', 'fetch the file itself with git lfs pull')
  }
  if (start.length < LENGTH_BYTES) refuse(label, 'at least 8 bytes', `${fileSize}: the file is truncated or empty`)
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  if (length > MAX_HEADER_BYTES && /^[\t\n\r -~]+$/.test(text)) {
    refuse(label, 'a safetensors file', `a text that begins ${quote(text)}`, 'pass a file of weights, or the folder that it is in')
  }
  if (length > MAX_HEADER_BYTES) {
    refuse(
      label,
      `a header of at most ${MAX_HEADER_BYTES} bytes`,
      `${length}`,
      'the file is damaged or not safetensors; check what it is',
    )
  }
  if (Number(length) > fileSize - LENGTH_BYTES) {
    refuse(label, `a header of ${length} bytes`, `${fileSize - LENGTH_BYTES} bytes: the file is truncated`)
  }
  if (length < 2n || start[LENGTH_BYTES] !== OPEN_BRACE) {
    refuse(label, "a header that begins with '{'", 'something else', 'the file is not safetensors; check what it is')
  }
  return Number(length)
}

/**
 * Parses and checks a header: every tensor's byte count fits its dtype and shape, and the tensors tile the data
 * section exactly, with no gap, no overlap and nothing left over. Fields that the format does not have are skipped.
 *
 * @param json the header's bytes, without the length
 * @param dataBytes size of the file after the header
 * @throws {CheckpointError} on the first violation; nothing else is ever thrown.
 * Source: huggingface/safetensors, README (format) and safetensors/src/tensor.rs (validation).
 */
export function parseHeader(label: string, json: Uint8Array, dataBytes: number): SafetensorsHeader {
  const dataStart = LENGTH_BYTES + json.byteLength
  let metadata: Record<string, string> = {}
  const located: [name: string, tensor: LocatedTensor][] = []
  readJson(label, 'a header', json, (reader) => {
    reader.object((name) => {
      if (name === METADATA_KEY) metadata = readMetadata(label, reader)
      else located.push([name, readTensor(label, name, reader, dataStart)])
    })
  })
  located.sort(([, a], [, b]) => a.begin - b.begin || a.byteLength - b.byteLength)

  let end = dataStart
  for (const [name, { begin, byteLength }] of located) {
    if (begin !== end) {
      const what = begin < end ? 'an overlap' : 'a gap'
      refuse(label, `tensor ${quote(name)} to begin at data byte ${end - dataStart}`, `${begin - dataStart}: ${what}`)
    }
    end = begin + byteLength
  }
  if (end !== dataStart + dataBytes) {
    const what = end > dataStart + dataBytes ? 'the file is truncated' : 'bytes belong to no tensor'
    refuse(label, `${end - dataStart} bytes of tensor data`, `${dataBytes}: ${what}`)
  }
  return { metadata, tensors: new Map(located) }
}

/** Reads bytes as one JSON value and nothing after it. @throws {CheckpointError} if they are no JSON, or two readers could differ on it */
export function readJson(label: string, what: string, json: Uint8Array, read: (reader: JsonReader) => void): void {
  try {
    const reader = new JsonReader(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json))
    read(reader)
    reader.end()
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause
    const got = cause instanceof JsonError ? cause.message : 'bytes that are not UTF-8'
    throw new CheckpointError(
      `readSafetensors: ${label}: expected ${what} of valid UTF-8 JSON, got ${got}; download or export the file again`,
      { cause },
    )
  }
}

function readMetadata(label: string, reader: JsonReader): Record<string, string> {
  if (reader.kind !== 'object') refuse(label, `${METADATA_KEY} to be an object of strings`, reader.ahead)
  const entries: [string, string][] = []
  reader.object((key) => {
    if (reader.kind !== 'string') refuse(label, `metadata ${quote(key)} to be a string`, reader.ahead)
    entries.push([key, reader.string()])
  })
  return Object.fromEntries(entries)
}

function readTensor(label: string, name: string, reader: JsonReader, dataStart: number): LocatedTensor {
  const tensor = `tensor ${quote(name)}`
  if (reader.kind !== 'object') refuse(label, `${tensor} to be an object`, reader.ahead)
  let dtype: SafetensorsDType | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  reader.object((field) => {
    if (field === 'dtype') {
      const { ahead } = reader
      const known = reader.kind === 'string' ? reader.string() : undefined
      if (!isSafetensorsDType(known)) return refuse(label, `${tensor} to have one of ${dtypes.join(', ')}`, ahead)
      dtype = known
    } else if (field === 'shape') shape = readSizes(label, `${tensor} to have a shape of integers in [0, 2^53)`, reader)
    else if (field === 'data_offsets') offsets = readSizes(label, `${tensor} to have data_offsets [begin, end] in [0, 2^53)`, reader)
    else reader.skip()
    return undefined
  })
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return refuse(label, `${tensor} to have dtype, shape and data_offsets`, `no ${dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets'}`)
  }
  const [begin, end, more] = offsets
  if (begin === undefined || end === undefined || more !== undefined || end < begin) {
    return refuse(label, `${tensor} to have data_offsets [begin, end] in [0, 2^53)`, quote(offsets))
  }
  const needed = byteLengthOf(dtype, shape)
  if (needed !== end - begin) refuse(label, `${tensor} ${dtype} ${quote(shape)} to take ${needed} bytes`, `${end - begin}`)
  return { dtype, shape, byteLength: needed, begin: dataStart + begin }
}

function readSizes(label: string, expected: string, reader: JsonReader): number[] {
  const { ahead } = reader
  const sizes: number[] = []
  if (reader.kind !== 'list') refuse(label, expected, ahead)
  reader.list(() => { sizes.push(reader.whole() ?? refuse(label, expected, ahead)) })
  return sizes
}

/** Bytes of a tensor, or Infinity where any partial product exceeds 2^53, so that it never equals a real length. */
export function byteLengthOf(dtype: SafetensorsDType, shape: readonly number[]): number {
  let bytes: number = bytesPerElement[dtype]
  for (const size of shape) {
    bytes *= size
    if (!Number.isSafeInteger(bytes)) return Infinity
  }
  return bytes
}
