import { CheckpointError } from '../errors.ts'
import { errorCode, nodeModule } from './node.ts'
import { locate, openSource, type SafetensorsSource } from './open-source.ts'
import type { ReadOptions } from './source.ts'

/** Files below one place, by paths with slashes, wherever it is. */
export interface Folder {
  /** How messages name it. */
  readonly label: string
  /** A file, unread; undefined if there is none of that path. */
  file(path: string): Promise<SafetensorsSource | undefined>
  /** A file as UTF-8 text; undefined if there is none of that path. */
  text(path: string): Promise<string | undefined>
  /** Names of the files and folders at its top, as far as the place tells them: a server does not. */
  names(): Promise<readonly string[]>
}

/** A directory that a page was given, as far as reading it takes: a `FileSystemDirectoryHandle`. */
export interface DirectoryHandle {
  readonly kind: 'directory'
  readonly name: string
  getDirectoryHandle(name: string): Promise<DirectoryHandle>
  getFileHandle(name: string): Promise<{ getFile(): Promise<Blob> }>
  keys(): AsyncIterable<string>
}

/**
 * Where a folder is: a path (Node), the address below which its files are (http(s), or `hf:owner/name`), a directory
 * that a page was given, or files by their paths.
 */
export type FolderSource = string | URL | DirectoryHandle | ReadonlyMap<string, Blob | Uint8Array>

/**
 * The folder at a source.
 * @throws {CheckpointError} if it is no address @throws {UnsupportedError} for a path where there is no Node
 */
export function folderOf(source: FolderSource, options: ReadOptions): Folder {
  if (source instanceof Map) return mapFolder(source)
  if (typeof source === 'object' && 'getFileHandle' in source) return handleFolder(source)
  const place = locate(source as string | URL) // nothing else is left
  return place instanceof URL ? urlFolder(place, options) : diskFolder(place)
}

/** Whether a path leads to a folder of the disk; undefined where nothing is. @throws {UnsupportedError} where there is no Node */
export async function isFolder(path: string): Promise<boolean | undefined> {
  return await nodeModule('openCheckpoint', 'node:fs/promises').stat(path).then((s) => s.isDirectory(), () => undefined)
}

function diskFolder(root: string): Folder {
  const fs = nodeModule('openCheckpoint', 'node:fs/promises')
  const { join, resolve } = nodeModule('openCheckpoint', 'node:path')
  const label = JSON.stringify(resolve(root))
  const file = async (path: string): Promise<string | undefined> => {
    const full = join(root, ...path.split('/'))
    try {
      return (await fs.stat(full)).isFile() ? full : undefined
    } catch (cause) {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(cause))) return undefined
      throw unreadable(label, path, cause)
    }
  }
  return {
    label,
    file,
    async text(path) {
      const full = await file(path)
      return full === undefined ? undefined : fs.readFile(full, 'utf8').catch((cause: unknown) => {
        throw unreadable(label, path, cause)
      })
    },
    names: () => fs.readdir(root).catch(() => []),
  }
}

function urlFolder(base: URL, options: ReadOptions): Folder {
  const { signal, timeout, fetch, cache, offline } = options
  const root = new URL(base)
  root.pathname = root.pathname.replace(/\/*$/, '/')
  const label = JSON.stringify(root.href)
  const urlOf = (path: string): URL => new URL(path.split('/').map(encodeURIComponent).join('/'), root)
  const request = async (path: string, headers: Record<string, string>): Promise<Response | undefined> => {
    const url = urlOf(path)
    const patience = AbortSignal.timeout(timeout)
    const response = await fetch(url, { headers, signal: signal ? AbortSignal.any([signal, patience]) : patience })
      .catch((cause: unknown) => {
        signal?.throwIfAborted()
        throw unreadable(label, path, cause)
      })
    // A server of one page answers any address with that page.
    const isPage = /^text\/html/i.test(response.headers.get('content-type') ?? '')
    if (response.ok && !isPage) return response
    response.body?.cancel().catch(() => undefined)
    if (isPage || response.status === 404 || response.status === 410) return undefined
    throw unreadable(label, path, `status ${response.status}`)
  }
  const file = async (path: string): Promise<URL | undefined> => {
    const url = urlOf(path)
    if (offline) return (await cache?.find(url.href))?.complete ? url : undefined
    const response = await request(path, { Range: 'bytes=0-0' })
    // Not waited for: a server may send the whole file.
    response?.body?.cancel().catch(() => undefined)
    return response && url
  }
  return {
    label,
    file,
    async text(path) {
      if (!cache && !offline) return (await request(path, {}))?.text()
      const url = await file(path)
      return url && await textOf(url, options)
    },
    names: async () => [],
  }
}

/** A whole file as UTF-8 text. */
export async function textOf(source: SafetensorsSource, options: ReadOptions): Promise<string> {
  const bytes = await openSource(source, options)
  try {
    return new TextDecoder().decode(await bytes.read(0, bytes.size))
  } finally {
    await bytes.close()
  }
}

function handleFolder(root: DirectoryHandle): Folder {
  const label = `the folder ${JSON.stringify(root.name)}`
  const file = async (path: string): Promise<Blob | undefined> => {
    const names = path.split('/')
    const last = names.pop() ?? ''
    try {
      let folder = root
      for (const name of names) folder = await folder.getDirectoryHandle(name)
      return await (await folder.getFileHandle(last)).getFile()
    } catch (cause) {
      // A DOMException is no Error everywhere; its name says what happened.
      const { name } = cause as { readonly name?: unknown }
      if (name === 'NotFoundError' || name === 'TypeMismatchError') return undefined
      throw unreadable(label, path, cause)
    }
  }
  return {
    label,
    file,
    text: async (path) => (await file(path))?.text(),
    async names() {
      const names: string[] = []
      for await (const name of root.keys()) names.push(name)
      return names
    },
  }
}

/** Paths may all begin with the name of the folder itself, as those of a directory chosen in a page do. */
function mapFolder(given: ReadonlyMap<string, Blob | Uint8Array>): Folder {
  const [first = ''] = given.keys()
  const own = first.slice(0, first.indexOf('/') + 1)
  const below = [...given.keys()].every((path) => path.startsWith(own)) ? own.length : 0
  const files = new Map(Array.from(given, ([path, file]) => [path.slice(below), file]))
  return {
    label: 'a Map of files',
    file: async (path) => files.get(path),
    async text(path) {
      const file = files.get(path)
      return file instanceof Blob ? file.text() : file && new TextDecoder().decode(file)
    },
    names: async () => [...new Set([...files.keys()].map((path) => path.replace(/\/.*$/, '')))],
  }
}

function unreadable(label: string, path: string, cause: unknown): CheckpointError {
  return new CheckpointError(
    `openCheckpoint: expected to read ${JSON.stringify(path)} in ${label}, got ${String(cause)}; ` +
      'check that it is there for you to read, and try again',
    { cause },
  )
}
