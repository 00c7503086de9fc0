import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diskCache } from '@antipode/core/io'
import { cacheText, clearCache, clearedText, listCache } from './index.ts'

test('what is kept is listed and dropped by repository, address or as a whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-cache-'))
  try {
    const cache = diskCache(folder)
    const addresses = ['https://a.org/owner/name/resolve/main/x', 'https://a.org/owner/names/resolve/main/x', 'https://b.org/y']
    for (const address of addresses) {
      await cache.begin({ address, version: '1', size: 2 ** 20 })
      await cache.append(address, new Uint8Array(2 ** 19))
    }
    expect(cacheText(await listCache({ of: 'https://b.org' }, cache)))
      .toBe(`1 file, 0.5 MiB, in ${JSON.stringify(folder)}\n  0.5 MiB of 1.0 MiB  https://b.org/y\n`)
    expect((await clearCache({ of: 'hf:owner/name' }, cache)).files.map((file) => file.address)).toEqual([addresses[0]])
    expect(clearedText(await clearCache({}, cache))).toBe(`dropped 2 files, 1.0 MiB, from ${JSON.stringify(folder)}\n`)
    expect((await listCache({}, cache)).files).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
