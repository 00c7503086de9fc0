import { Command } from 'commander'
import { expect, test, vi } from 'vitest'
import { addCache } from './cache-program.ts'
import type { Commands } from './commands.ts'
import type { Adding } from './program-parts.ts'

test('the cache is listed, and cleared of what begins with an address, or of all', async () => {
  const [cacheList, cacheClear] = [vi.fn<Commands['cacheList']>(), vi.fn<Commands['cacheClear']>()]
  for (const words of [['list'], ['list', 'hf:owner/name'], ['clear']]) {
    const program = new Command()
    // No more of a program is asked for here.
    addCache(program, { commands: { cacheList, cacheClear }, start: vi.fn(), finish: vi.fn() } as unknown as Adding)
    await program.parseAsync(['cache', ...words], { from: 'user' })
  }
  expect([...cacheList.mock.calls, ...cacheClear.mock.calls]).toEqual([[{}], [{ of: 'hf:owner/name' }], [{}]])
})
