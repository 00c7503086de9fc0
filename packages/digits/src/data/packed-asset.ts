import { CheckpointError } from '@antipode/core'
import type { Range } from '@antipode/core/options'

/** Where an asset is read from: a URL (`file:`, `https:`, …) or its bytes, gzipped as stored. */
export type AssetSource = URL | Uint8Array<ArrayBuffer>

/** An {@link AssetSource}. */
export const anAsset: Range = { expected: 'a URL or bytes', accepts: (v) => v instanceof URL || v instanceof Uint8Array }

/** A gunzipped asset: a small JSON header and the bytes that follow it. */
export interface PackedAsset {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Uint8Array<ArrayBuffer>
}

/** A header longer than this is a damaged or foreign file: ours have a few hundred bytes. */
const MAX_HEADER = 65536

/**
 * Reads an asset of the layout `u32 header length | JSON header | payload`, gzipped, in Node and in browsers.
 *
 * @throws {CheckpointError} if it cannot be read, is no gzip stream, or its header does not carry `format`.
 */
export async function readPackedAsset(source: AssetSource, format: string): Promise<PackedAsset> {
  const name = source instanceof URL ? source.href : 'bytes'
  const bytes = await gunzip(source instanceof URL ? await readUrl(source) : source, name)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = bytes.length >= 4 ? view.getUint32(0, true) : Number.NaN
  if (!(length <= Math.min(MAX_HEADER, bytes.length - 4))) {
    throw new CheckpointError(
      `readPackedAsset: expected a '${format}' file, got ${bytes.length} bytes of something else at ${name}; ` +
        `reinstall the package`,
    )
  }
  const header = parseHeader(bytes.subarray(4, 4 + length), name)
  if (header['format'] !== format || header['version'] !== 1) {
    throw new CheckpointError(
      `readPackedAsset: expected format '${format}' version 1, got '${String(header['format'])}' version ` +
        `${String(header['version'])} at ${name}; reinstall the package`,
    )
  }
  return { header, payload: bytes.subarray(4 + length) }
}

function parseHeader(bytes: Uint8Array, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    // JSON objects have string keys.
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new CheckpointError(
      `readPackedAsset: expected a JSON header, got unreadable text at ${name}; reinstall the package`,
      { cause },
    )
  }
  throw new CheckpointError(
    `readPackedAsset: expected a JSON object as header, got another value at ${name}; reinstall the package`,
  )
}

async function readUrl(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // Node's fetch refuses file: URLs. Its fs is asked for by name at run time, so that no bundler looks for it.
    const host = (globalThis as { process?: typeof process }).process
    if (url.protocol === 'file:' && host !== undefined) {
      return new Uint8Array(host.getBuiltinModule('node:fs').readFileSync(url))
    }
    const response = await fetch(url)
    if (!response.ok) throw new CheckpointError(`readPackedAsset: expected status 200, got ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    throw new CheckpointError(
      `readPackedAsset: expected a readable asset, got none at ${url.href}; ` +
        "serve the package's assets/ folder or pass the bytes as source",
      { cause },
    )
  }
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Uint8Array<ArrayBuffer>> {
  // Some web servers send `.gz` files with a Content-Encoding, so that fetch has gunzipped them already.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
    return new Uint8Array(await new Response(stream).arrayBuffer())
  } catch (cause) {
    throw new CheckpointError(
      `readPackedAsset: expected a whole gzip stream, got a damaged one at ${name}; reinstall the package`,
      { cause },
    )
  }
}
