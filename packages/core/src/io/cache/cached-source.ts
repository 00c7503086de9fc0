import { CheckpointError, ConfigError } from '../../errors.ts'
import type { RemoteFile } from '../remote-file.ts'
import type { ByteSource, ReadOptions } from '../source.ts'
import { Download } from './download.ts'
import type { FileCache } from '../file-cache.ts'

/**
 * A file of the network by way of a cache: what is in it is read from there, and the rest is fetched from the start of
 * the file to its end and kept, while reads wait for no more than their own bytes. What is left of a fetch that broke
 * off is gone on with, if the file is the same. Undefined where somebody else fetches it into the same cache now.
 * @throws {CheckpointError} if its bytes have another digest than it says
 */
export async function cachedSource(
  remote: RemoteFile,
  cache: FileCache,
  { signal, timeout }: ReadOptions,
): Promise<ByteSource | undefined> {
  const { address, size, version } = remote
  const isSame = async (): Promise<{ readonly stored: number; readonly complete: boolean } | undefined> => {
    const found = await cache.find(address)
    return found && found.version === version && found.size === size ? found : undefined
  }
  if ((await isSame())?.complete) return storedSource(address, size, cache)
  const lock = await cache.lock(address)
  if (!lock) return undefined
  // Somebody may have fetched it meanwhile.
  const found = await isSame()
  if (found?.complete) {
    await lock[Symbol.asyncDispose]()
    return storedSource(address, size, cache)
  }
  if (!found) await cache.begin({ address, version, size })
  const download = new Download(remote, cache, { signal, timeout, begin: found?.stored ?? 0 })
  return {
    ...storedSource(address, size, cache),
    read: (offset, length, into) => download.read(offset, length, into),
    async close() {
      await download.stop()
      await lock[Symbol.asyncDispose]()
    },
  }
}

/**
 * A file that is whole in a cache, without asking the network. @throws {CheckpointError} if it is not
 * @throws {ConfigError} if there is no cache
 */
export async function offlineSource(address: string, cache: FileCache | undefined): Promise<ByteSource> {
  if (!cache) throw new ConfigError('cache: expected one where offline is true, got none; pass cache: diskCache()')
  const found = await cache.find(address)
  if (found?.complete) return storedSource(address, found.size, cache)
  const got = found ? `${found.stored} bytes of ${found.size}` : 'none'
  throw new CheckpointError(
    `cache: expected ${JSON.stringify(address)} in ${cache.label}, got ${got}; load it once without offline`,
  )
}

function storedSource(address: string, size: number, cache: FileCache): ByteSource {
  return {
    label: JSON.stringify(address),
    size,
    read: (offset, length, into) => cache.read(address, offset, length, into),
    close: async () => {},
  }
}
