import { CheckpointError } from '../errors.ts'
import { fileSource } from './file-source.ts'
import { quote } from './header.ts'
import { nodeModule } from './node.ts'
import { blobSource, bytesSource, type ByteSource, type ReadOptions } from './source.ts'
import { urlSource } from './url-source.ts'

/**
 * Where a checkpoint is: a path (Node) or an address as string, a URL, a Blob or File, or bytes in memory. Addresses are
 * http(s), or `hf:owner/name/path` and `hf:owner/name@revision/path` for files of a repository of Hugging Face.
 */
export type SafetensorsSource = string | URL | Blob | Uint8Array

/** The bytes behind a source. @throws {CheckpointError} if it cannot be opened. */
export async function openSource(source: SafetensorsSource, options: ReadOptions): Promise<ByteSource> {
  if (source instanceof Uint8Array) return bytesSource(source)
  if (source instanceof Blob) return blobSource(source)
  const place = locate(source)
  return place instanceof URL ? urlSource(place, options) : fileSource(place, options)
}

/** A path or address as what it means: a URL for the network, a string for the file system. */
export function locate(source: string | URL): string | URL {
  if (source instanceof URL) {
    return source.protocol === 'file:' ? nodeModule('readSafetensors', 'node:url').fileURLToPath(source) : source
  }
  const address = source.startsWith('hf:') ? hubAddress(source) : source
  if (!/^https?:/i.test(address)) return address
  if (URL.canParse(address)) return new URL(address)
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
