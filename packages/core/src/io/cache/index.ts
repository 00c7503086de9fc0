export { cachedSource, offlineSource } from './cached-source.ts'
export { cacheFolder, diskCache } from './disk-cache.ts'
export { pageCache, type WritableDirectoryHandle, type WritableFileHandle } from './page-cache.ts'
