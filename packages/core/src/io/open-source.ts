import { CheckpointError } from '../errors.ts'
import { cachedSource, offlineSource } from './cache/index.ts'
import { fileSource } from './file-source.ts'
import { quote } from './header.ts'
import { nodeModule } from './node.ts'
import { isRemoteFile, type RemoteFile, streamedSource } from './remote-file.ts'
import { blobSource, bytesSource, type ByteSource, type ReadOptions } from './source.ts'
import { urlRemote, urlSource } from './url-source.ts'

/**
 * Where a checkpoint is: a path (Node) or an address as string, a URL, a Blob or File, bytes in memory, or a file behind
 * a protocol of the caller's own. Addresses are http(s), or `hf:owner/name/path` and `hf:owner/name@revision/path` for
 * files of a repository of Hugging Face.
 */
export type SafetensorsSource = string | URL | Blob | Uint8Array | RemoteFile

/** The bytes behind a source. @throws {CheckpointError} if it cannot be opened. */
export async function openSource(source: SafetensorsSource, options: ReadOptions): Promise<ByteSource> {
  if (source instanceof Uint8Array) return bytesSource(source)
  if (source instanceof Blob) return blobSource(source)
  const { cache, offline } = options
  const place = typeof source === 'object' && isRemoteFile(source) ? source : locate(source)
  if (typeof place === 'string') return fileSource(place, options)
  if (offline) return offlineSource(place instanceof URL ? place.href : place.address, cache)
  const remote = !(place instanceof URL) ? place : cache && await urlRemote(place, options)
  const cached = remote && cache && await cachedSource(remote, cache, options)
  if (cached) return cached
  return place instanceof URL ? urlSource(place, options) : streamedSource(place, options)
}

/** A path or address as what it means: a URL for the network, a string for the file system. */
export function locate(source: string | URL): string | URL {
  if (source instanceof URL) {
    if (source.protocol !== 'file:') return fileOnHub(source)
    return nodeModule('readSafetensors', 'node:url').fileURLToPath(source)
  }
  const address = source.startsWith('hf:') ? hubAddress(source) : source
  if (!/^https?:/i.test(address)) return address
  if (URL.canParse(address)) return fileOnHub(new URL(address))
  throw new CheckpointError(
    `readSafetensors: expected a path or an http(s) address, got ${quote(source)}; check its spelling`,
  )
}

function hubAddress(source: string): string {
  const [, repository, revision = 'main', path = '/'] = /^hf:([\w.-]+\/[\w.-]+)(?:@([^/]+))?(\/.*)?$/.exec(source) ?? []
  if (repository !== undefined) return `https://huggingface.co/${repository}/resolve/${revision}${path}`
  throw new CheckpointError(
    `readSafetensors: expected hf:owner/name, and a path in it, got ${quote(source)}; check its spelling`,
  )
}

/** The files that a page of Hugging Face shows: of a repository, `/owner/name`, or one of them, `/owner/name/blob/…`. */
function fileOnHub(url: URL): URL {
  if (url.hostname !== 'huggingface.co') return url
  const file = new URL(url)
  file.pathname = url.pathname.replace(/^(\/[^/]+\/[^/]+)\/(?:blob|tree)\//, '$1/resolve/')
    .replace(/^(\/(?!datasets\/|spaces\/|api\/)[^/]+\/[^/]+)\/?$/, '$1/resolve/main/')
  return file
}
