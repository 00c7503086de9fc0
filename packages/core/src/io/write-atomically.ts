import type { FileHandle } from 'node:fs/promises'
import { CheckpointError } from '../errors.ts'
import { kindOfFile, nodeModule } from './node.ts'
import { OwnedFile, writeFailure } from './owned-file.ts'

/** One write call of Node takes less than 2^31 bytes; smaller pieces keep the event loop turning. */
const WRITE_BYTES = 2 ** 26

/**
 * Writes `chunks` to a temporary file in the folder of `path`, flushes it and renames it over `path`. On any failure
 * the temporary file is removed and `path` is left alone; errors of `chunks` itself pass through. What a process that was
 * killed left of such a write of `path` is removed.
 *
 * @param head replaces the first bytes once all chunks are written
 * @throws {CheckpointError} if the file system refuses, or `path` is something else than a file.
 */
export async function writeAtomically(
  op: string,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  head?: Uint8Array,
): Promise<void> {
  const fs = nodeModule(op, 'node:fs/promises')
  const { dirname, resolve } = nodeModule(op, 'node:path')
  const target = resolve(path)
  const attempt = <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => { throw writeFailure(op, target, cause) })
  const there = await fs.lstat(target).catch(() => undefined)
  // A rename would put a file in the place of a device.
  if (there && !there.isFile() && !there.isSymbolicLink()) {
    throw new CheckpointError(`${op}: expected to write ${JSON.stringify(target)}, got ${kindOfFile(there)} of that name; choose another name`)
  }

  const temporary = await attempt(OwnedFile.create(op, target, 'tmp', ''))
  try {
    await attempt(temporary.sweep(op, target))
    const handle = await attempt(fs.open(temporary.path, 'r+'))
    try {
      for await (const chunk of chunks) await attempt(writeAll(handle, chunk))
      if (head) await attempt(writeAll(handle, head, 0))
      await attempt(handle.sync())
    } finally {
      await handle.close()
    }
    await attempt(fs.rename(temporary.path, target))
    temporary.release()
  } catch (error) {
    await temporary[Symbol.asyncDispose]()
    throw error
  }
  await syncFolder(fs, dirname(target))
}

/** Writes on where the last write ended, or at a place. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, at?: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(WRITE_BYTES, bytes.byteLength - done), at === undefined ? null : at + done)
    done += bytesWritten
  }
}

/** Makes the rename itself durable, where the system can (Windows cannot open folders). */
async function syncFolder(fs: typeof import('node:fs/promises'), folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
