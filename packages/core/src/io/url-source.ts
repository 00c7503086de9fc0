import { CheckpointError } from '../errors.ts'
import { allocate, truncated, type ByteSource } from './source.ts'

/** The first request fetches this much, which holds the whole header of most checkpoints. */
const PREFIX_BYTES = 65_536

/**
 * A file behind HTTP, read by range requests; the file is never transferred as a whole unless it is read as a whole.
 *
 * @throws {CheckpointError} if the server cannot be reached, has no such file or does not serve ranges.
 */
export async function urlSource(url: URL, signal: AbortSignal | undefined): Promise<ByteSource> {
  const label = JSON.stringify(url.href)
  const first = await fetchRange(label, url, 0, PREFIX_BYTES, signal)
  const prefix = await readBody(label, first.response, 0, Math.min(PREFIX_BYTES, first.total), signal)
  return {
    label,
    size: first.total,
    async read(offset, length) {
      if (length === 0) return new Uint8Array(0)
      if (offset + length <= prefix.byteLength) return prefix.slice(offset, offset + length)
      const { response, total } = await fetchRange(label, url, offset, length, signal)
      if (total !== first.total) {
        await response.body?.cancel()
        throw truncated(label, offset, length, 0)
      }
      return readBody(label, response, offset, length, signal)
    },
    close: async () => {},
  }
}

async function fetchRange(
  label: string,
  url: URL,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<{ response: Response; total: number }> {
  const headers = { Range: `bytes=${offset}-${offset + length - 1}` }
  const request = fetch(url, { headers, signal: signal ?? null })
  const response = await request.catch((cause: unknown) => {
    signal?.throwIfAborted()
    throw new CheckpointError(
      `readSafetensors: expected an answer from ${label}, got ${String(cause)}; ` +
        'check the address, the network and, in a browser, the CORS headers of the server',
      { cause },
    )
  })
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
  if (response.status === 206 && range !== null && Number(range[1]) === offset) {
    return { response, total: Number(range[2]) }
  }
  await response.body?.cancel()
  throw new CheckpointError(
    `readSafetensors: expected ${label} to answer a range request with status 206 and its size, ` +
      `got status ${response.status}; ${adviceFor(response.status)}`,
  )
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'the file needs permission: download it with your credentials first'
  if (status === 404 || status === 410) return 'there is no such file: check the address'
  if (status === 416) return 'the file is empty or shorter than its header says: upload it again'
  if (status === 206) return 'let the server expose Content-Range (Access-Control-Expose-Headers)'
  if (status === 200) return 'the server does not serve ranges: use another one, or download the file and pass it'
  return 'try again later'
}

/** Reads exactly `length` bytes and drops the connection of a server that sends more. */
async function readBody(
  label: string,
  response: Response,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(label, length)
  let done = 0
  // A reader, as not every browser can iterate a stream.
  const reader = response.body?.getReader()
  try {
    for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
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
    throw new CheckpointError(
      `readSafetensors: expected ${length} bytes at offset ${offset} from ${label}, got a broken connection after ` +
        `${done} (${String(cause)}); try again`,
      { cause },
    )
  }
  if (done < length) throw truncated(label, offset, length, done)
  return bytes
}
