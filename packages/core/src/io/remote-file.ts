import { type ByteSource, type ReadOptions, truncated } from './source.ts'

/**
 * A file of the network that says which state of it is there, so that what was fetched once can be kept. Whoever has
 * files behind a protocol of their own passes one of these where a source is asked for.
 */
export interface RemoteFile {
  /** What it is kept under and messages name it by. */
  readonly address: string
  readonly size: number
  /** What tells one state of the file from another: an ETag, a revision, a digest. */
  readonly version: string
  /** SHA-256 of its bytes in hexadecimal, where it is known. */
  readonly sha256?: string
  /** Its bytes in [begin, end). Fewer come where the connection breaks. */
  stream(begin: number, end: number): Promise<ReadableStream<Uint8Array>>
}

export function isRemoteFile(source: object): source is RemoteFile {
  return 'address' in source && 'stream' in source
}

/** A file of the network that is kept nowhere: each read asks for its own bytes. */
export function streamedSource(remote: RemoteFile, { signal }: Pick<ReadOptions, 'signal'>): ByteSource {
  const label = JSON.stringify(remote.address)
  return {
    label,
    size: remote.size,
    async read(offset, length) {
      if (length === 0) return new Uint8Array(0)
      signal?.throwIfAborted()
      const stream = await remote.stream(offset, offset + length)
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
      if (bytes.length !== length) throw truncated(label, offset, length, bytes.length)
      return bytes
    },
    close: async () => {},
  }
}
