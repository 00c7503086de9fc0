import { CheckpointError, OutOfMemoryError } from '../errors.ts'
import type { FileCache } from './file-cache.ts'

/** What reading from anywhere goes by. */
export interface ReadOptions {
  readonly signal: AbortSignal | undefined
  /** The longest silence of a server, in milliseconds. */
  readonly timeout: number
  /** What makes requests. */
  readonly fetch: typeof globalThis.fetch
  /** Bytes that a request asks for at least. */
  readonly readAhead: number
  /** Where files of the network are kept. */
  readonly cache: FileCache | undefined
  /** Whether nothing is asked of the network. */
  readonly offline: boolean
}

/** Random access to bytes, wherever they lie. */
export interface ByteSource {
  /** How messages name it: a quoted path or address, or what kind of memory it is. */
  readonly label: string
  readonly size: number
  /**
   * Exactly `length` bytes from `offset`, in a buffer of their own.
   * @param into memory that they may be put in instead, from its start, if it is long enough
   */
  read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

/** @throws {OutOfMemoryError} if the host cannot give that many bytes in one piece. */
export function allocate(label: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length)
  } catch (cause) {
    throw new OutOfMemoryError(
      `readSafetensors: ${label}: expected to allocate ${length} bytes for one tensor, got a refusal of the host; ` +
        'free memory, or shard or narrow the checkpoint',
      { cause },
    )
  }
}

export function truncated(label: string, offset: number, length: number, got: number): CheckpointError {
  return new CheckpointError(
    `readSafetensors: ${label}: expected ${length} bytes at offset ${offset}, got ${got}; ` +
      'the file ended early or changed while it was read: download or export it again',
  )
}

/** The file is not the one that was opened. */
export function changed(label: string, what: string): CheckpointError {
  return new CheckpointError(
    `readSafetensors: expected ${label} to stay as it was when it was opened, got ${what}; ` +
      'open it again once nobody writes to it',
  )
}

/** Bytes already in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    label: 'Uint8Array',
    size: bytes.byteLength,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
    close: async () => {},
  }
}

/** A Blob or File of the browser or of Node; only the slices asked for are loaded. */
export function blobSource(blob: Blob): ByteSource {
  const label = 'name' in blob ? `File ${JSON.stringify(blob.name)}` : 'Blob'
  return {
    label,
    size: blob.size,
    async read(offset, length) {
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
      } catch (cause) {
        throw new CheckpointError(
          `readSafetensors: ${label}: expected to read ${length} bytes at offset ${offset}, got ${String(cause)}; ` +
            'select the file again: it was moved, changed or its permission ended',
          { cause },
        )
      }
    },
    close: async () => {},
  }
}
