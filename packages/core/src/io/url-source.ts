import { CheckpointError } from '../errors.ts'
import type { RemoteFile } from './remote-file.ts'
import { Silence } from './silence.ts'
import { allocate, changed, truncated, type ByteSource, type ReadOptions } from './source.ts'

/** The first request fetches this much, which holds the whole header of most checkpoints. */
const PREFIX_BYTES = 65_536

/**
 * A file behind HTTP, read by range requests; the file is never transferred as a whole unless it is read as a whole,
 * but for what `readAhead` brings besides. Every
 * answer must be of the file that was opened: of the same size and, where the server sends them, the same ETag or date.
 * (`If-Range` would ask the same, but makes browsers ask other origins for leave first, which many do not give.)
 *
 * @throws {CheckpointError} if the server cannot be reached, has no such file, does not serve ranges or falls silent.
 */
export async function urlSource(url: URL, options: ReadOptions): Promise<ByteSource> {
  const label = JSON.stringify(url.href)
  const first = await readRange(label, url, 0, PREFIX_BYTES, undefined, options)
  const { size } = first.version
  const range = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    (await readRange(label, url, offset, length, first.version, options)).bytes
  let ahead = { start: 0, bytes: first.bytes }
  return {
    label,
    size,
    async read(offset, length) {
      if (length === 0) return new Uint8Array(0)
      if (offset + length <= first.bytes.byteLength) return first.bytes.slice(offset, offset + length)
      if (length >= options.readAhead) return range(offset, length)
      if (offset < ahead.start || offset + length > ahead.start + ahead.bytes.byteLength) {
        const start = offset
        ahead = { start, bytes: await range(start, Math.min(options.readAhead, Math.max(length, size - start))) }
      }
      return ahead.bytes.slice(offset - ahead.start, offset - ahead.start + length)
    },
    close: async () => {},
  }
}

/** What tells one state of a file from another. */
interface Version {
  readonly size: number
  readonly etag: string | null
  readonly lastModified: string | null
}

/**
 * The same file as one that can be kept, and undefined where the server sends neither an ETag nor a date to tell by
 * whether it is still the same. @throws {CheckpointError} as {@link urlSource} does
 */
export async function urlRemote(url: URL, options: ReadOptions): Promise<RemoteFile | undefined> {
  const label = JSON.stringify(url.href)
  const { version } = await readRange(label, url, 0, 1, undefined, options)
  const { size, etag, lastModified } = version
  const state = etag ?? lastModified
  if (state === null) return undefined
  return {
    address: url.href,
    size,
    version: state,
    async stream(begin, end) {
      using silence = new Silence(options.timeout)
      const { response } = await requestRange(label, url, begin, end - begin, version, options, silence)
      return response.body ?? new Blob([]).stream()
    },
  }
}

/** Bytes of a file, fewer than `length` where it ends, and the state of the file that they are of. */
async function readRange(
  label: string,
  url: URL,
  offset: number,
  length: number,
  expected: Version | undefined,
  options: ReadOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; version: Version }> {
  using silence = new Silence(options.timeout)
  const { response, version } = await requestRange(label, url, offset, length, expected, options, silence)
  const wanted = Math.min(length, version.size - offset)
  const bytes = await readBody(label, response, offset, wanted, silence, options.signal)
  if (bytes.byteLength < length && expected) throw truncated(label, offset, length, bytes.byteLength)
  return { bytes, version }
}

/** The answer to a request for a part of a file, before its body. */
async function requestRange(
  label: string,
  url: URL,
  offset: number,
  length: number,
  expected: Version | undefined,
  { signal, timeout, fetch }: ReadOptions,
  silence: Silence,
): Promise<{ response: Response; version: Version }> {
  const response = await fetch(url, {
    headers: { Range: `bytes=${offset}-${offset + length - 1}` },
    signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
  }).catch((cause: unknown) => {
    signal?.throwIfAborted()
    const got = silence.signal.aborted ? `none within ${timeout} ms; try again, or raise timeout` :
      `${String(cause)}; check the address, the network and, in a browser, the CORS headers of the server`
    throw new CheckpointError(`readSafetensors: expected an answer from ${label}, got ${got}`, { cause })
  })
  silence.broken()
  const version = versionOf(response, offset)
  const difference = version && expected && differenceOf(expected, version)
  if (version !== undefined && difference === undefined) return { response, version }
  // Not waited for: a server may hold the connection open.
  response.body?.cancel().catch(() => undefined)
  if (difference !== undefined) throw changed(label, difference)
  throw new CheckpointError(
    `readSafetensors: expected ${label} to answer a range request with status 206 and its size, ` +
      `got status ${response.status}; ${adviceFor(response.status)}`,
  )
}

/** The state of the file that an answer is of, or undefined if it is no answer to a request for bytes from `offset`. */
function versionOf({ status, headers }: Response, offset: number): Version | undefined {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')
  const size = Number(range?.[2])
  if (status !== 206 || range === null || Number(range[1]) !== offset || !Number.isSafeInteger(size) || size <= offset) return undefined
  return { size, etag: headers.get('etag'), lastModified: headers.get('last-modified') }
}

function differenceOf(expected: Version, now: Version): string | undefined {
  if (now.size !== expected.size) return `one of ${now.size} bytes instead of ${expected.size}`
  if (now.etag !== expected.etag) return `one of the ETag ${now.etag} instead of ${expected.etag}`
  // Servers behind one address may keep dates of their own; an ETag stands for the bytes.
  if (now.etag === null && now.lastModified !== expected.lastModified) return `one of ${now.lastModified} instead of ${expected.lastModified}`
  return undefined
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'the file needs permission: download it with your credentials first'
  if (status === 404 || status === 410) return 'there is no such file: check the address'
  if (status === 416) return 'the file is empty or shorter than its header says: upload it again'
  if (status === 206) return 'let the server expose Content-Range (Access-Control-Expose-Headers), true to what it sends'
  if (status === 200) return 'the server does not serve ranges: use another one, or download the file and pass it'
  return 'try again later'
}

/** Reads exactly `length` bytes and drops the connection of a server that sends more. */
async function readBody(
  label: string,
  response: Response,
  offset: number,
  length: number,
  silence: Silence,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(label, length)
  let done = 0
  // A reader, as not every browser can iterate a stream.
  const reader = response.body?.getReader()
  try {
    for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
      silence.broken()
      if (done + chunk.value.byteLength > length) {
        await reader?.cancel()
        throw truncated(label, offset, length, done + chunk.value.byteLength)
      }
      bytes.set(chunk.value, done)
      done += chunk.value.byteLength
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof CheckpointError) throw cause
    const got = silence.signal.aborted ? `nothing more for ${silence.timeout} ms` : `a broken connection (${String(cause)})`
    throw new CheckpointError(
      `readSafetensors: expected ${length} bytes at offset ${offset} from ${label}, got ${done} and then ${got}; try again`,
      { cause },
    )
  }
  if (done < length) throw truncated(label, offset, length, done)
  return bytes
}
