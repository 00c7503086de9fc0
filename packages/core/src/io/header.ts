import { CheckpointError } from '../errors.ts'
import { bytesPerElement, dtypes, isSafetensorsDType, type SafetensorsDType } from './dtype.ts'
import { duplicateKey } from './duplicate-key.ts'

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

/** A quoted, shortened rendering of untrusted text for messages. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
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
      "convert it in Python: safetensors.torch.save_file(torch.load(path, map_location='cpu', weights_only=True), " +
        "'model.safetensors') (take the 'state_dict' entry first where there is one)",
    )
  }
  if (start.length < LENGTH_BYTES) refuse(label, 'at least 8 bytes', `${fileSize}: the file is truncated or empty`)
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
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
 * section exactly, with no gap, no overlap and nothing left over.
 *
 * @param json the header's bytes, without the length
 * @param dataBytes size of the file after the header
 * @throws {CheckpointError} on the first violation; nothing else is ever thrown.
 * Source: huggingface/safetensors, README (format) and safetensors/src/tensor.rs (validation).
 */
export function parseHeader(label: string, json: Uint8Array, dataBytes: number): SafetensorsHeader {
  const root = parseJson(label, json)
  const dataStart = LENGTH_BYTES + json.byteLength
  const metadata = parseMetadata(label, root[METADATA_KEY])
  const located = Object.entries(root)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => [name, parseTensor(label, name, value, dataStart)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin || a.byteLength - b.byteLength)

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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(label: string, json: Uint8Array): Record<string, unknown> {
  let text: string
  let root: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json)
    root = JSON.parse(text)
  } catch (cause) {
    throw new CheckpointError(
      `readSafetensors: ${label}: expected a header of valid UTF-8 JSON, got ${String(cause).slice(0, 120)}; ` +
        'download or export the file again',
      { cause },
    )
  }
  if (!isRecord(root)) refuse(label, 'a JSON object as header', quote(root))
  const twice = duplicateKey(text)
  if (twice !== undefined) refuse(label, 'each key once, at most three levels deep', quote(twice))
  return root
}

function parseMetadata(label: string, value: unknown): Record<string, string> {
  if (value === undefined) return {}
  if (!isRecord(value)) refuse(label, `${METADATA_KEY} to be an object of strings`, quote(value))
  const entries = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') return refuse(label, `metadata ${quote(key)} to be a string`, quote(text))
    return [key, text]
  })
  return Object.fromEntries(entries)
}

function parseTensor(label: string, name: string, value: unknown, dataStart: number): LocatedTensor {
  const tensor = `tensor ${quote(name)}`
  if (!isRecord(value)) return refuse(label, `${tensor} to be an object`, quote(value))
  const { dtype, shape, data_offsets: offsets } = value
  if (!isSafetensorsDType(dtype)) return refuse(label, `${tensor} to have one of ${dtypes.join(', ')}`, quote(dtype))
  if (!isSizes(shape)) return refuse(label, `${tensor} to have a shape of integers in [0, 2^53)`, quote(shape))
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[1]! < offsets[0]!) {
    return refuse(label, `${tensor} to have data_offsets [begin, end] in [0, 2^53)`, quote(offsets))
  }
  const byteLength = offsets[1]! - offsets[0]!
  const needed = byteLengthOf(dtype, shape)
  if (needed !== byteLength) {
    return refuse(label, `${tensor} ${dtype} ${quote(shape)} to take ${needed} bytes`, `${byteLength}`)
  }
  return { dtype, shape, byteLength, begin: dataStart + offsets[0]! }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
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
