import { CheckpointError } from '../errors.ts'
import { errorCode, nodeModule } from './node.ts'
import { allocate, truncated, type ByteSource } from './source.ts'

/** The most that one read call of Node takes is below 2^31. */
const READ_BYTES = 2 ** 30

const advice: Record<string, string> = {
  ENOENT: 'no such file; check the path, or download or train the checkpoint first',
  EACCES: 'permission denied; make the file readable',
  EISDIR: 'a directory; name the .safetensors file or the .safetensors.index.json in it',
}

/** A file of Node, opened once and read in pieces. @throws {CheckpointError} if it cannot be opened. */
export async function fileSource(path: string, signal: AbortSignal | undefined): Promise<ByteSource> {
  const fs = nodeModule('readSafetensors', 'node:fs/promises')
  const label = JSON.stringify(nodeModule('readSafetensors', 'node:path').resolve(path))
  const fail = (cause: unknown, code = errorCode(cause)): CheckpointError =>
    new CheckpointError(
      `readSafetensors: expected a readable file at ${label}, ` +
        `got ${advice[code] ?? `${String(cause)}; check the disk`}`,
      { cause },
    )
  const handle = await fs.open(path, 'r').catch((cause: unknown) => {
    throw fail(cause)
  })
  try {
    const stat = await handle.stat()
    if (stat.isDirectory()) throw fail(undefined, 'EISDIR')
    return {
      label,
      size: stat.size,
      async read(offset, length) {
        const bytes = allocate(label, length)
        let done = 0
        while (done < length) {
          signal?.throwIfAborted()
          const wanted = Math.min(READ_BYTES, length - done)
          const { bytesRead } = await handle.read(bytes, done, wanted, offset + done).catch((cause: unknown) => {
            throw fail(cause)
          })
          if (bytesRead === 0) throw truncated(label, offset, length, done)
          done += bytesRead
        }
        return bytes
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
