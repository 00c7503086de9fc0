import { ConfigError } from '../errors.ts'
import { makeFolder } from './make-folder.ts'
import { errorCode, nodeModule } from './node.ts'

/** Whose option names a path: "demo", "--out". */
export interface OptionName {
  readonly command: string
  readonly option: string
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'the system does not permit it',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  ENOENT: 'no folder can be made there',
  ENOTDIR: 'a file stands where a folder would be',
  EISDIR: 'a folder stands where the file would be',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
}

/** Bytes of the file that is tried: a block, which a full disk has no room for. */
const probeBytes = 4096

/**
 * Opens a folder for what a program will write: makes it, and tries that a file can be written in it. A program does so before
 * it computes for hours what it could not keep.
 * @throws {ConfigError} if the system refuses @throws {UnsupportedError} where there is no Node
 */
export async function openFolder(name: OptionName, folder: string): Promise<void> {
  const { randomUUID } = nodeModule('openFolder', 'node:crypto')
  const { rm, writeFile } = nodeModule('openFolder', 'node:fs/promises')
  const { join, resolve } = nodeModule('openFolder', 'node:path')
  const path = resolve(folder)
  await refusing(name, 'a folder that can be written', folder, async () => {
    await makeFolder(path)
    const probe = join(path, `.antipode-${randomUUID()}`)
    try {
      await writeFile(probe, new Uint8Array(probeBytes), { flag: 'wx' })
    } finally {
      await rm(probe, { force: true }).catch(() => undefined)
    }
  })
}

/**
 * Opens a file that a program will write: what stands there may be written over, or the folder takes a new file.
 * @throws {ConfigError} if the system refuses, or a folder stands there @throws {UnsupportedError} where there is no Node
 */
export async function openFile(name: OptionName, file: string): Promise<void> {
  const { dirname } = nodeModule('openFile', 'node:path')
  if (!(await checkFile(name, file))) await openFolder(name, dirname(file))
}

/**
 * Whether something stands where a file is to be written.
 * @throws {ConfigError} if it is a folder, or cannot be written over @throws {UnsupportedError} where there is no Node
 */
export function checkFile(name: OptionName, file: string): Promise<boolean> {
  const { access, constants, stat } = nodeModule('checkFile', 'node:fs/promises')
  return refusing(name, 'a file that can be written', file, async () => {
    const found = await stat(file).catch(() => undefined)
    if (found?.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    if (found) await access(file, constants.W_OK)
    return found !== undefined
  })
}

/** What `work` gives; a refusal by the system becomes one of the option. */
async function refusing<T>({ command, option }: OptionName, expected: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const reason = reasons[errorCode(cause)] ?? (cause instanceof Error ? cause.message : String(cause))
    throw new ConfigError(`${command}: expected ${option} to be ${expected}, got ${path}: ${reason}; choose another`, { cause })
  }
}
