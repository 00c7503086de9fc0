import { CheckpointError } from '../errors.ts'
import { errorCode, kindOfFile, nodeModule } from './node.ts'
import { allocate, changed, truncated, type ByteSource, type ReadOptions } from './source.ts'

/** The most that one read call of Node takes is below 2^31. */
const READ_BYTES = 2 ** 30

const advice: Record<string, string> = {
  ENOENT: 'no such file; check the path, or download or train the checkpoint first',
  EACCES: 'permission denied; make the file readable',
  EISDIR: 'a directory; name the .safetensors file or the .safetensors.index.json in it',
}

/**
 * A file of Node, opened once and read in pieces.
 * @throws {CheckpointError} if it cannot be opened, is no regular file, or is written to after it was opened
 */
export async function fileSource(path: string, { signal }: Pick<ReadOptions, 'signal'>): Promise<ByteSource> {
  const fs = nodeModule('readSafetensors', 'node:fs/promises')
  const { constants } = nodeModule('readSafetensors', 'node:fs')
  const label = JSON.stringify(nodeModule('readSafetensors', 'node:path').resolve(path))
  const fail = (cause: unknown, code = errorCode(cause)): CheckpointError =>
    new CheckpointError(
      `readSafetensors: expected a readable file at ${label}, ` +
        `got ${advice[code] ?? `${String(cause)}; check the disk`}`,
      { cause },
    )
  const attempt = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw fail(cause)
    })
  const checkKind = (stat: import('node:fs').Stats | import('node:fs').BigIntStats): void => {
    if (stat.isFile()) return
    if (stat.isDirectory()) throw fail(undefined, 'EISDIR')
    throw new CheckpointError(`readSafetensors: expected a readable file at ${label}, got ${kindOfFile(stat)}; copy what it gives to a file first`)
  }
  // To open a device can change it, and to open a FIFO waits for a writer: the kind is asked for before, and once more of
  // what was opened. O_NONBLOCK (not on Windows) keeps a FIFO that came in between from hanging; it changes nothing on files.
  checkKind(await attempt(fs.stat(path)))
  const handle = await attempt(fs.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  try {
    const opened = await handle.stat({ bigint: true })
    checkKind(opened)
    return {
      label,
      size: Number(opened.size),
      async read(offset, length, into) {
        const bytes = into && into.length >= length ? into.subarray(0, length) : allocate(label, length)
        let done = 0
        while (done < length) {
          signal?.throwIfAborted()
          const wanted = Math.min(READ_BYTES, length - done)
          const { bytesRead } = await attempt(handle.read(bytes, done, wanted, offset + done))
          if (bytesRead === 0) throw truncated(label, offset, length, done)
          done += bytesRead
        }
        const now = await attempt(handle.stat({ bigint: true }))
        if (now.mtimeNs !== opened.mtimeNs || now.size !== opened.size) throw changed(label, 'one written to since')
        return bytes
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
