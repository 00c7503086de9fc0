import { abortSignal, anObject, callable, checkOptions, flag, type Ranges, whole } from '../options/index.ts'
import type { FileCache } from './file-cache.ts'
import { verifier } from './digests.ts'
import { headerLength, LENGTH_BYTES, parseHeader } from './header.ts'
import { openSource, type SafetensorsSource } from './open-source.ts'
import { openState } from './open-state.ts'
import { safetensorsFile, tensorNamed, type SafetensorsFile } from './safetensors-file.ts'
import { besides, isIndex, openShards } from './shards.ts'
import type { ByteSource, ReadOptions } from './source.ts'

/** Options of {@link readSafetensors}. */
export interface ReadSafetensorsOptions {
  /** Aborts the opening and every later read of the file, which then reject with `signal.reason`. */
  readonly signal?: AbortSignal
  /**
   * The longest that a server may be silent, before its answer and between the pieces of it, in milliseconds: a whole
   * number in [1, 2147483647], 60,000 by default.
   */
  readonly timeout?: number
  /**
   * Whether the header, at opening, and each tensor, at reading, must have the SHA-256 with which `writeSafetensors`
   * wrote them with `digest: true`; false by default. A file without digests is refused then.
   */
  readonly verify?: boolean
  /** What makes requests, such as one that adds credentials; the global `fetch` by default. */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Bytes that a request to a server asks for at least, which are kept for the reads behind it: for files of many small
   * tensors that are all wanted. A whole number, 0 by default, which transfers nothing but what is read.
   */
  readonly readAhead?: number
  /** Where files of the network are kept for the next time, such as `diskCache()`; nowhere by default. */
  readonly cache?: FileCache
  /** Whether to read what the cache has and ask nothing of the network; false by default. */
  readonly offline?: boolean
  /**
   * Where the shards of an index are, by their names; undefined where one is missing. The source is an index then,
   * whatever its name. Beside it by default.
   */
  readonly shards?: (name: string) => Promise<SafetensorsSource | undefined>
}

/** Ranges of {@link ReadSafetensorsOptions}, for functions that pass them on. */
export const readRanges: Ranges<ReadSafetensorsOptions> = {
  signal: abortSignal, timeout: whole(1, 2 ** 31 - 1), verify: flag, fetch: callable, readAhead: whole(0),
  cache: anObject('a FileCache'), offline: flag, shards: callable,
}

/**
 * Opens a safetensors checkpoint and checks its whole header before any tensor is read. A path or address that ends in
 * `.safetensors.index.json` opens all the shards that it names as one checkpoint.
 *
 * A file that is replaced or written to while it is open is refused at the next read, so that no two states of it mix:
 * by its time of change on a disk, by ETag or Last-Modified behind HTTP (where a server sends neither, by its size
 * alone).
 *
 * @throws {CheckpointError} if the source is missing, no regular file, truncated, malformed, hostile, silent or a
 * pickle.
 * @throws {ConfigError} if an option is unknown or outside its range.
 * @throws {UnsupportedError} for a path where there is no Node.
 * Source: huggingface/safetensors, README (format).
 *
 * @example
 * await using file = await readSafetensors('unet.safetensors')
 * for await (const { name, dtype, shape, bytes } of file.stream()) upload(name, dtype, shape, bytes)
 */
export async function readSafetensors(
  source: SafetensorsSource,
  options: ReadSafetensorsOptions = {},
): Promise<SafetensorsFile> {
  checkOptions('readSafetensors', options, readRanges)
  const { shards, ...rest } = options
  const { signal, verify = false } = options
  signal?.throwIfAborted()
  const find = shards ?? (isIndex(source) ? besides(source) : undefined)
  const read = readOptions(options)
  if (find) return openShards(source, find, (shard) => readSafetensors(shard, rest), read)
  const bytes = await openSource(source, read)
  try {
    return await openSafetensors(bytes, verify, signal)
  } catch (error) {
    await bytes.close()
    throw error
  }
}

/** How bytes are read where options say nothing. */
export function readOptions(options: ReadSafetensorsOptions): ReadOptions {
  const { signal, timeout = 60_000, fetch = globalThis.fetch, readAhead = 0, cache, offline = false } = options
  return { signal, timeout, fetch, readAhead, cache, offline }
}

/** The file whose bytes these are, from then on its to close. */
export async function openSafetensors(
  source: ByteSource,
  verify: boolean,
  signal: AbortSignal | undefined,
): Promise<SafetensorsFile> {
  const { label, size } = source
  const jsonBytes = headerLength(label, await source.read(0, Math.min(size, LENGTH_BYTES + 1)), size)
  const json = await source.read(LENGTH_BYTES, jsonBytes)
  const { metadata, tensors } = parseHeader(label, json, size - LENGTH_BYTES - jsonBytes)
  const check = verify ? await verifier(label, json, metadata, tensors) : undefined
  const state = openState('readSafetensors', source, signal)
  return safetensorsFile(label, {
    metadata,
    tensors,
    async read(name, into) {
      state.check()
      const { begin, byteLength } = tensorNamed(label, tensors, name)
      const bytes = await source.read(begin, byteLength, into)
      return check ? check(name, bytes) : bytes
    },
    close: () => state.close(),
  })
}
