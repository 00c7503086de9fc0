import { errorCode, nodeModule } from './node.ts'
import { writeFailure } from './owned-file.ts'

/** A place beside a file that keeps what the file held, while later versions take its place. */
export interface FileAside {
  /** Keeps what the file holds now, unless something is kept already; of a file that is not there nothing. */
  keep(): Promise<void>
  /** Puts what is kept in the file's place again, and says whether there was anything. */
  restore(): Promise<boolean>
  /** Lets go of what is kept. */
  drop(): Promise<void>
}

/**
 * Keeps a file in Node under a second name, `<path>.<suffix>`: whole, or not at all, whenever the process may be killed. The file must
 * be one that is replaced rather than written to, as `writeAtomically` and `writeSafetensors` do. Its methods reject with
 * `CheckpointError` where the file system refuses. @throws {UnsupportedError} where there is no Node
 */
export function fileAside(op: string, path: string, suffix: string): FileAside {
  const fs = nodeModule(op, 'node:fs/promises')
  const aside = `${nodeModule(op, 'node:path').resolve(path)}.${suffix}`
  const attempt = async (work: Promise<void>, fine: string): Promise<boolean> => {
    try {
      await work
      return true
    } catch (error) {
      if (errorCode(error) === fine) return false
      throw writeFailure(op, aside, error)
    }
  }
  const copy = async (): Promise<void> => {
    await fs.copyFile(path, `${aside}.tmp`)
    await fs.rename(`${aside}.tmp`, aside)
  }
  return {
    async keep() {
      const there = (file: string): Promise<boolean> => fs.stat(file).then(() => true, () => false)
      if (await there(aside) || !await there(path)) return
      // Some file systems have no second names.
      await attempt(fs.link(path, aside).catch(copy), '')
    },
    restore: () => attempt(fs.rename(aside, path), 'ENOENT'),
    async drop() {
      await attempt(fs.unlink(aside), 'ENOENT')
    },
  }
}
