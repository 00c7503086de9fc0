import { ConfigError } from '../errors.ts'
import { abortSignal, anObject, checkOptions, flag, type Ranges } from '../options/index.ts'
import { DIGEST_KEY, digestOf, digestPlaceholder, sealed } from './digests.ts'
import { bytesOf, layoutOf, type SafetensorsEntry } from './encode-safetensors.ts'
import { byteLengthOf, LENGTH_BYTES } from './header.ts'
import { writeAtomically } from './write-atomically.ts'

/** A tensor whose values are at hand, or are fetched when their turn comes: `() => tensor.data()`. */
export type StreamedSafetensorsEntry = SafetensorsEntry<
  ArrayBufferView | (() => ArrayBufferView | Promise<ArrayBufferView>)
>

/** Options of {@link writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** Strings to keep in the header, such as the seed and the recipe. */
  metadata?: Readonly<Record<string, string>>
  /** Whether to keep the SHA-256 of header and tensors in the metadata, as `sha256`, for `readSafetensors` to verify; false by default. */
  digest?: boolean
  /** Aborts between tensors; the file at `path` stays as it was. */
  signal?: AbortSignal
}

const ranges: Ranges<WriteSafetensorsOptions> = { metadata: anObject('an object of strings'), digest: flag, signal: abortSignal }

/**
 * Writes a safetensors file in Node, one tensor in memory at a time. The file appears under its name complete or not
 * at all: it is written beside, flushed to the disk and renamed, so a crash leaves the earlier version intact, and what it
 * left half-written goes with the next save. The bytes are those of `encodeSafetensors`, but for the digests.
 *
 * @throws {CheckpointError} if an entry is invalid or the file cannot be written.
 * @throws {ConfigError} if an option is unknown or outside its range.
 * @throws {UnsupportedError} where there is no Node.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<StreamedSafetensorsEntry>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  const op = 'writeSafetensors'
  checkOptions(op, options, ranges)
  const { metadata = {}, digest = false, signal } = options
  if (digest && DIGEST_KEY in metadata) throw new ConfigError(`${op}: expected metadata without ${DIGEST_KEY}, got one; digest: true writes it`)
  const all = [...entries]
  const placeholder = digest ? digestPlaceholder(layoutOf(op, all, metadata).ordered.map(({ dtype, shape }) => byteLengthOf(dtype, shape))) : ''
  const { header, ordered } = layoutOf(op, all, digest ? { ...metadata, [DIGEST_KEY]: placeholder } : metadata)
  let digests = ''
  async function* chunks(): AsyncIterable<Uint8Array> {
    yield header
    for (const entry of ordered) {
      signal?.throwIfAborted()
      const bytes = bytesOf(op, entry, typeof entry.data === 'function' ? await entry.data() : entry.data)
      if (digest) digests += await digestOf(op, bytes)
      yield bytes
    }
    if (digest) header.set(await sealed(op, header.subarray(LENGTH_BYTES), placeholder, digests), LENGTH_BYTES)
    signal?.throwIfAborted()
  }
  // The header has its digests only once all tensors have gone by.
  await writeAtomically(op, path, chunks(), digest ? header : undefined)
}
