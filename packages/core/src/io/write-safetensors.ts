import { bytesOf, layoutOf, type SafetensorsEntry } from './encode-safetensors.ts'
import { writeAtomically } from './write-atomically.ts'

/** A tensor whose values are at hand, or are fetched when their turn comes: `() => tensor.data()`. */
export type StreamedSafetensorsEntry = SafetensorsEntry<
  ArrayBufferView | (() => ArrayBufferView | Promise<ArrayBufferView>)
>

export interface WriteSafetensorsOptions {
  /** Strings to keep in the header, such as the seed and the recipe. */
  metadata?: Readonly<Record<string, string>>
  /** Aborts between tensors; the file at `path` stays as it was. */
  signal?: AbortSignal
}

/**
 * Writes a safetensors file in Node, one tensor in memory at a time. The file appears under its name complete or not
 * at all: it is written beside, flushed to the disk and renamed, so a crash leaves the earlier version intact. The
 * bytes are those of `encodeSafetensors`.
 *
 * @throws {CheckpointError} if an entry is invalid or the file cannot be written.
 * @throws {UnsupportedError} where there is no Node.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<StreamedSafetensorsEntry>,
  { metadata = {}, signal }: WriteSafetensorsOptions = {},
): Promise<void> {
  const { header, ordered } = layoutOf('writeSafetensors', entries, metadata)
  async function* chunks(): AsyncIterable<Uint8Array> {
    yield header
    for (const entry of ordered) {
      signal?.throwIfAborted()
      const data = typeof entry.data === 'function' ? await entry.data() : entry.data
      yield bytesOf('writeSafetensors', entry, data)
    }
    signal?.throwIfAborted()
  }
  await writeAtomically('writeSafetensors', path, chunks())
}
