import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { libraries } from '../libraries.ts'
import type { LibraryProcess } from './library-process.ts'
import { Processes } from './processes.ts'

const patience = 30_000
const lasts = (name: string): boolean => libraries[name]?.lasting === true

/** The workload's error in a library, which must be small. */
async function check(process: LibraryProcess, id: string): Promise<void> {
  await process.ask({ do: 'first', id }, patience)
  const { error, tolerance } = await process.ask({ do: 'check' }, patience)
  expect(error).toBeLessThan(tolerance)
}

const absent = libraries['numpy']?.missing()

describe.skipIf(absent !== undefined)(`numpy in a process that lasts${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  // Tests come before a build.
  beforeAll(() => { vi.stubEnv('NODE_OPTIONS', '--conditions=@antipode/source') })
  afterAll(() => { vi.unstubAllEnvs() })

  test('goes on to the next workload, also after one that it cannot do', async () => {
    await using processes = new Processes(lasts)
    const first = await processes.start('numpy')
    await check(first, 'matmul-300x260x200')
    await processes.release('numpy', first)

    const second = await processes.start('numpy')
    expect(second).toBe(first)
    await expect(second.ask({ do: 'first', id: 'geglu' }, patience)).rejects.toThrow('KeyError')
    await processes.release('numpy', second)

    const third = await processes.start('numpy')
    expect(third).toBe(first)
    // Its second input has another shape than that of the same name before.
    await check(third, 'add-chain')
    await check(third, 'matmul-77x768x768')
    const { timings } = await third.ask({ do: 'sample', milliseconds: 0 }, patience)
    expect(timings).toHaveLength(1)
    await processes.release('numpy', third)
  })

  test('is started anew after it kept silent for too long', async () => {
    await using processes = new Processes(lasts)
    const first = await processes.start('numpy')
    await expect(first.ask({ do: 'first', id: 'matmul-300x260x200' }, 0)).rejects.toThrow('no answer within 0 s')
    await expect(first.ask({ do: 'check' }, patience)).rejects.toThrow('no answer within 0 s')
    await processes.release('numpy', first)

    const second = await processes.start('numpy')
    expect(second).not.toBe(first)
    await check(second, 'add-chain')
    await processes.release('numpy', second)
  })

  test('is kept once, and not at all where it does not last', async () => {
    await using kept = new Processes(lasts)
    const both = [await kept.start('numpy'), await kept.start('numpy')] as const
    expect(both[0]).not.toBe(both[1])
    for (const process of both) await kept.release('numpy', process)
    await expect(both[1].ask({ do: 'forget' }, patience)).rejects.toThrow('ended')
    expect(await kept.start('numpy')).toBe(both[0])
    await kept.release('numpy', both[0])

    await using fresh = new Processes(() => false)
    const process = await fresh.start('numpy')
    await fresh.release('numpy', process)
    await expect(process.ask({ do: 'forget' }, patience)).rejects.toThrow('ended')
  })
})
