export { cacheText, clearedText } from './cache-text.ts'
export { type CacheOptions, type CacheResult, clearCache, listCache } from './cache.ts'
