import { CheckpointError } from '../../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { nodeModule } from '../node.ts'
import { lockPath } from '../path-lock.ts'
import { allocate, truncated } from '../source.ts'
import { writeAtomically } from '../write-atomically.ts'
import type { CachedFile, FileCache } from '../file-cache.ts'

const op = 'diskCache'

/** Where programs of this user keep what can be fetched or made again. @throws {UnsupportedError} without Node */
export function cacheFolder(): string {
  const { isAbsolute, join } = nodeModule(op, 'node:path')
  const { homedir } = nodeModule(op, 'node:os')
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env
  // Relative paths there are invalid and to be ignored, says the XDG base directory specification.
  const folder = xdg !== undefined && isAbsolute(xdg) ? xdg
    : process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches')
    : process.platform === 'win32' ? local ?? join(homedir(), 'AppData', 'Local')
    : join(homedir(), '.cache')
  return join(folder, 'antipode')
}

/**
 * A cache in a directory of the disk: the one that the environment variable `ANTIPODE_CACHE` names, or else `files`
 * where this user's caches are. Each file has a folder of its own with its bytes, `content`, and `file.json`, which says
 * where it came from.
 * @throws {UnsupportedError} where there is no Node
 * @example
 * const files = await diskCache().list()
 */
export function diskCache(folder?: string): FileCache {
  const { join, resolve } = nodeModule(op, 'node:path')
  const fs = nodeModule(op, 'node:fs/promises')
  const { createHash } = nodeModule(op, 'node:crypto')
  // An empty variable is one that is not set.
  const root = resolve(folder ?? (process.env['ANTIPODE_CACHE'] || join(cacheFolder(), 'files')))
  const label = JSON.stringify(root)
  const attempt = async <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => {
    throw new CheckpointError(
      `cache: expected to use ${label}, got ${String(cause)}; make room there, or set ANTIPODE_CACHE to another folder`,
      { cause },
    )
  })
  const placeOf = (address: string): string =>
    join(root, createHash('sha256').update(address).digest('hex').slice(0, 32))
  const content = (address: string): string => join(placeOf(address), 'content')
  const note = async (place: string, file: Omit<CachedFile, 'stored'>): Promise<void> => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(JSON.stringify(file))
    }
    await writeAtomically('cache', join(place, 'file.json'), chunks())
  }
  const at = async (place: string): Promise<CachedFile | undefined> => {
    try {
      // Ours: a file that is written whole or not at all.
      const file = JSON.parse(await fs.readFile(join(place, 'file.json'), 'utf8')) as Omit<CachedFile, 'stored'>
      const stored = (await fs.stat(join(place, 'content'))).size
      return { ...file, stored, complete: file.complete && stored === file.size }
    } catch {
      // What is not there or damaged is fetched anew.
      return undefined
    }
  }
  return {
    label,
    async list() {
      const names = await fs.readdir(root).catch(() => [])
      const files = await Promise.all(names.map((name) => at(join(root, name))))
      return files.filter((file) => file !== undefined).sort((a, b) => (a.address < b.address ? -1 : 1))
    },
    find: (address) => at(placeOf(address)),
    async remove(address) {
      const doomed = address === undefined ? (await this.list()).map((file) => file.address) : [address]
      for (const one of doomed) await attempt(fs.rm(placeOf(one), { recursive: true, force: true }))
    },
    async lock(address) {
      await attempt(makeFolder(root))
      return lockPath('cache', placeOf(address)).catch(() => undefined)
    },
    async begin(file) {
      const place = placeOf(file.address)
      await attempt(fs.rm(place, { recursive: true, force: true }))
      await attempt(makeFolder(place))
      await attempt(fs.writeFile(join(place, 'content'), ''))
      const { address, version, size } = file
      await note(place, { address, version, size, complete: false })
    },
    append: (address, bytes) => attempt(fs.appendFile(content(address), bytes)),
    async complete(address) {
      const file = await at(placeOf(address))
      if (file) await note(placeOf(address), { address, version: file.version, size: file.size, complete: true })
    },
    async read(address, offset, length, into) {
      const bytes = into && into.length >= length ? into.subarray(0, length) : allocate(label, length)
      const handle = await attempt(fs.open(content(address)))
      try {
        for (let done = 0; done < length;) {
          const { bytesRead } = await attempt(handle.read(bytes, done, length - done, offset + done))
          if (bytesRead === 0) throw truncated(JSON.stringify(address), offset, length, done)
          done += bytesRead
        }
      } finally {
        await handle.close()
      }
      return bytes
    },
  }
}
