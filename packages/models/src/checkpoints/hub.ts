import { CheckpointError, ConfigError, UnsupportedError } from '@antipode/core'
import { type Folder, type ReadOptions, type RemoteFile, textOf } from '@antipode/core/io'
import { refuse } from './refuse.ts'

/** Options of reading from Hugging Face. */
export interface HubOptions {
  /** A branch, a tag or a commit; `main` by default. `hf:owner/name@revision` says the same. */
  readonly revision?: string
  /** An access token, for repositories that ask who reads them; that of the variable `HF_TOKEN` by default in Node. */
  readonly token?: string
  /** Where the hub is; `https://huggingface.co` by default. */
  readonly hubUrl?: string
}

/** What `hf:owner/name@revision/path` says. */
export interface HubAddress {
  readonly name: string
  readonly revision: string | undefined
  /** A file or a folder of the repository, or ''. */
  readonly path: string
}

/** The parts of an address `hf:`; undefined of another source. @throws {CheckpointError} if it is no such address */
export function hubAddress(source: unknown): HubAddress | undefined {
  if (typeof source !== 'string' || !source.startsWith('hf:')) return undefined
  const [, name, revision, path = ''] = /^hf:([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*))?$/.exec(source) ?? []
  if (name !== undefined) return { name, revision, path: path.replace(/\/$/, '') }
  return refuse('hf:owner/name, and a path in it', JSON.stringify(source), 'check its spelling')
}

/**
 * A repository of Hugging Face, by `@huggingface/hub`. Its list of files is asked for once; of the files those alone are
 * fetched that are read.
 * @throws {UnsupportedError} if the package is not installed
 */
export async function hubFolder(address: HubAddress, options: HubOptions, read: ReadOptions): Promise<Folder> {
  const { name } = address
  const { revision = address.revision ?? 'main', hubUrl = 'https://huggingface.co' } = options
  const accessToken = options.token ?? globalThis.process?.env?.['HF_TOKEN']
  const label = `hf:${name}@${revision}`
  const root = `${hubUrl}/${name}/resolve/${encodeURIComponent(revision)}/`
  const below = address.path === '' ? '' : `${address.path}/`
  const addressOf = (path: string): string => root + (below + path).split('/').map(encodeURIComponent).join('/')
  if (read.offline && !read.cache) {
    throw new ConfigError('openCheckpoint: expected a cache where offline is true, got none; leave cache out')
  }
  const files = read.offline ? await stored(root, below, read) : await listed()
  const file = async (path: string): Promise<RemoteFile | undefined> => files.get(path)

  async function listed(): Promise<ReadonlyMap<string, RemoteFile>> {
    const { downloadFile, listFiles } = await hub()
    const place = {
      repo: { type: 'model' as const, name }, revision, hubUrl,
      fetch: careful(read), ...(accessToken && { accessToken }),
    }
    const found = new Map<string, RemoteFile>()
    try {
      for await (const { type, path, size, oid = '', lfs } of listFiles({ ...place, recursive: true })) {
        if (type !== 'file' || !path.startsWith(below)) continue
        let blob: Promise<Blob | null> | undefined
        const own = path.slice(below.length)
        found.set(own, {
          address: addressOf(own), size, version: lfs?.oid ?? oid, ...(lfs && { sha256: lfs.oid }),
          async stream(begin, end) {
            blob ??= downloadFile({ ...place, path })
            const whole = await blob.catch((cause: unknown) => {
              blob = undefined
              throw failure(label, cause, read)
            })
            if (whole) return whole.slice(begin, end).stream()
            return refuse(`${path} in ${label}`, 'none any more', 'open it again')
          },
        })
      }
    } catch (cause) {
      throw failure(label, cause, read)
    }
    return found
  }

  return {
    label,
    file,
    async text(path) {
      const one = await file(path)
      return one && await textOf(one, read)
    },
    names: async () => [...new Set([...files.keys()].map((path) => path.replace(/\/.*$/, '')))],
  }
}

/** What a cache holds whole of a repository. */
async function stored(root: string, below: string, { cache }: ReadOptions): Promise<ReadonlyMap<string, RemoteFile>> {
  const files = (await cache?.list() ?? []).filter((file) => file.complete && file.address.startsWith(root))
  const inside = files.map((file) => [decodeURIComponent(file.address.slice(root.length)), file] as const)
  const stream = (): never => refuse('nothing asked of the network offline', 'a read of it', 'leave offline out')
  return new Map(inside.filter(([path]) => path.startsWith(below))
    .map(([path, file]) => [path.slice(below.length), { ...file, stream }]))
}

async function hub(): Promise<typeof import('@huggingface/hub')> {
  try {
    return await import('@huggingface/hub')
  } catch (cause) {
    throw new UnsupportedError(
      'openCheckpoint: expected the package "@huggingface/hub" for hf: addresses; ' +
        'install it with `npm install @huggingface/hub`, or pass a folder or an https address',
      { cause },
    )
  }
}

/** What makes requests, as the caller's signal allows; what is refused is no content of a file. */
function careful({ fetch, signal }: ReadOptions): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, {
      ...init, ...(signal && { signal: init?.signal ? AbortSignal.any([signal, init.signal]) : signal }),
    })
    if (response.ok || response.status === 404) return response
    response.body?.cancel().catch(() => undefined)
    throw Object.assign(new Error(`status ${response.status}`), { statusCode: response.status })
  }
}

function failure(label: string, cause: unknown, { signal }: ReadOptions): unknown {
  if (signal?.aborted) return signal.reason
  const status = (cause as { readonly statusCode?: number }).statusCode
  const [got, advice] = status === 401 || status === 403
    ? ['no permission', 'accept its terms on its page, and pass a token, or set HF_TOKEN']
    : status === 404 ? ['none', 'check owner, name and revision; a private one needs a token']
    : [String(cause), 'check the network, or read what the cache has with offline: true']
  return new CheckpointError(`openCheckpoint: expected ${label} on the hub, got ${got}; ${advice}`, { cause })
}
