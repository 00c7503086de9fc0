import { type CachedFile, diskCache, type FileCache } from '@antipode/core/io'

/** Options of {@link listCache} and {@link clearCache}. */
export interface CacheOptions {
  /** A repository `hf:owner/name`, or what addresses begin with; all files by default. */
  readonly of?: string
}

/** What a cache has, or had. */
export interface CacheResult {
  readonly folder: string
  readonly files: readonly CachedFile[]
}

/** Says what is kept. */
export async function listCache({ of }: CacheOptions, cache: FileCache = diskCache()): Promise<CacheResult> {
  return { folder: cache.label, files: (await cache.list()).filter(({ address }) => isOf(address, of)) }
}

/** Drops what is kept, and says what it was. */
export async function clearCache(options: CacheOptions, cache: FileCache = diskCache()): Promise<CacheResult> {
  const { folder, files } = await listCache(options, cache)
  for (const { address } of files) await cache.remove(address)
  return { folder, files }
}

function isOf(address: string, of: string | undefined): boolean {
  if (of === undefined) return true
  const repository = /^hf:([^@]+)/.exec(of)?.[1]
  return repository === undefined ? address.startsWith(of) : new URL(address).pathname.startsWith(`/${repository}/`)
}
