import { expect, test } from 'vitest'
import type { Prepared, Problem, Runner, Timing } from '../workload.ts'
import type { Replies } from './protocol.ts'
import { Session } from './session.ts'

/** A library that adds in JavaScript, `off` away from the truth. */
function adder(off: number, more: Partial<Prepared> = {}): { readonly runner: Runner; readonly calls: { runs: number; waits: number } } {
  const calls = { runs: 0, waits: 0 }
  const prepare = async ({ inputs, repeats = 1 }: Problem): Promise<Prepared> => {
    const [x, b] = [inputs['x']?.data ?? [], inputs['b']?.data ?? []]
    let out = new Float32Array()
    return {
      async run() {
        calls.runs++
        out = Float32Array.from(x, (v, i) => v + repeats * (b[i] ?? 0) + off)
      },
      async wait() { calls.waits++ },
      read: () => Promise.resolve([out]),
      ...more,
    }
  }
  return { runner: { name: 'adder', version: '1', adapter: '', software: false, prepare }, calls }
}

test('a library is prepared, checked, warmed up and sampled in groups that are waited for once', async () => {
  const { runner, calls } = adder(0)
  const session = new Session(runner)
  const { milliseconds } = await session.answer({ do: 'first', id: 'add-chain' }) as Replies['first']
  expect(milliseconds).toBeGreaterThan(0)
  expect(calls).toEqual({ runs: 1, waits: 1 })
  const { error, tolerance } = await session.answer({ do: 'check' }) as Replies['check']
  expect(error).toBeLessThan(tolerance)
  await session.answer({ do: 'warm' })
  // Its first turn finds out how many make a group.
  await session.answer({ do: 'sample', milliseconds: 0 })
  Object.assign(calls, { runs: 0, waits: 0 })
  const { timings, busy } = await session.answer({ do: 'sample', milliseconds: 5 }) as Replies['sample']
  expect(timings.length).toBeGreaterThan(0)
  expect(calls.waits).toBe(timings.length)
  expect(calls.runs).toBeGreaterThan(calls.waits)
  expect(timings.every(({ wall, cpu }) => wall > 0 && cpu >= 0)).toBe(true)
  expect(busy).toBeGreaterThanOrEqual(0)
  // Its counts are of WebGPU, which nothing here has called.
  expect(await session.answer({ do: 'trace' })).toHaveProperty('trace')
})

test('the next workload begins as the first did, and finds nothing of the one before, even if that failed', async () => {
  const { runner } = adder(0)
  const seen: string[] = []
  const groups: number[] = []
  const session = new Session({
    ...runner,
    async prepare(problem) {
      seen.push(problem.id)
      if (problem.id === 'geglu') throw new TypeError('no such layer')
      // A run takes a tenth of a millisecond, so that a group has forty.
      return { ...await runner.prepare(problem), time: (runs) => { groups.push(runs); return Promise.resolve({ wall: 0.1, cpu: 0.1 }) } }
    },
    forget() { seen.push('forget'); return Promise.resolve() },
  })
  const turn = async (): Promise<number[]> => {
    groups.length = 0
    await session.answer({ do: 'sample', milliseconds: 0 })
    return [groups[0] ?? 0, groups.at(-1) ?? 0]
  }
  await session.answer({ do: 'first', id: 'add-chain' })
  expect(await turn()).toEqual([1, 40])
  expect(await turn()).toEqual([40, 40])
  await expect(session.answer({ do: 'first', id: 'geglu' })).rejects.toThrow('no such layer')
  await expect(session.answer({ do: 'sample', milliseconds: 0 })).rejects.toThrow('expected a first run')
  await session.answer({ do: 'first', id: 'add-chain' })
  expect(await turn()).toEqual([1, 40])
  await session.answer({ do: 'forget' })
  await expect(session.answer({ do: 'warm' })).rejects.toThrow('expected a first run')
  expect(seen).toEqual(['add-chain', 'forget', 'geglu', 'forget', 'add-chain', 'forget'])
})

test('a wrong result is far from the truth, and no number at all is as far as JSON can say', async () => {
  for (const [off, least] of [[1, 0.1], [Number.NaN, 1e300]] as const) {
    const session = new Session(adder(off).runner)
    await session.answer({ do: 'first', id: 'add-chain' })
    const { error } = JSON.parse(JSON.stringify(await session.answer({ do: 'check' }))) as Replies['check']
    expect(error).toBeGreaterThan(least)
  }
})

test('a library that tells its own time is believed, and one that fails is heard', async () => {
  const timing: Timing = { wall: 123, cpu: 45 }
  const session = new Session(adder(0, { time: () => Promise.resolve(timing) }).runner)
  await session.answer({ do: 'first', id: 'add-chain' })
  const { timings } = await session.answer({ do: 'sample', milliseconds: 0 }) as Replies['sample']
  expect(timings).toEqual([timing])
  await expect(new Session(adder(0).runner).answer({ do: 'warm' })).rejects.toThrow('expected a first run')
  const broken = new Session({ ...adder(0).runner, prepare: () => Promise.reject(new TypeError('no such layer')) })
  await expect(broken.answer({ do: 'first', id: 'add-chain' })).rejects.toThrow('no such layer')
})
