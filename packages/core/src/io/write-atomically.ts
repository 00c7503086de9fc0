import type { FileHandle } from 'node:fs/promises'
import { CheckpointError } from '../errors.ts'
import { errorCode, nodeModule } from './node.ts'

/** One write call of Node takes less than 2^31 bytes; smaller pieces keep the event loop turning. */
const WRITE_BYTES = 2 ** 26

const advice: Record<string, string> = {
  ENOENT: 'no such folder; create it first',
  EACCES: 'permission denied; choose a folder you may write to',
  EROFS: 'a read-only disk; choose another folder',
  ENOSPC: 'a full disk; free space and try again',
  EISDIR: 'a folder of that name; choose another name',
}

/**
 * Writes `chunks` to a temporary file in the folder of `path`, flushes it and renames it over `path`. On any failure
 * the temporary file is removed and `path` is left alone; errors of `chunks` itself pass through.
 *
 * @throws {CheckpointError} if the file system refuses.
 */
export async function writeAtomically(op: string, path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const fs = nodeModule(op, 'node:fs/promises')
  const { basename, dirname, join, resolve } = nodeModule(op, 'node:path')
  const target = resolve(path)
  const temporary = join(dirname(target), `.${basename(target)}.${crypto.randomUUID()}.tmp`)
  const attempt = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      const got = advice[errorCode(cause)] ?? `${String(cause)}; check the disk`
      throw new CheckpointError(`${op}: expected to write ${JSON.stringify(target)}, got ${got}`, { cause })
    })

  const handle = await attempt(fs.open(temporary, 'wx'))
  try {
    try {
      for await (const chunk of chunks) await attempt(writeAll(handle, chunk))
      await attempt(handle.sync())
    } finally {
      await handle.close()
    }
    await attempt(fs.rename(temporary, target))
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  }
  await syncFolder(fs, dirname(target))
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(WRITE_BYTES, bytes.byteLength - done))
    done += bytesWritten
  }
}

/** Makes the rename itself durable, where the system can (Windows cannot open folders). */
async function syncFolder(fs: typeof import('node:fs/promises'), folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
