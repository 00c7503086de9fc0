import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Commands } from './commands.ts'
import { readEvalSettings } from './eval-settings/index.ts'
import { done, FakeProcess } from './testing/index.ts'
import { UsageError } from './usage-error.ts'

test('an evaluation gets its file, its share or its queue', async () => {
  const evalRun = vi.fn<Commands['evalRun']>().mockResolvedValue(done)
  const evalWork = vi.fn<Commands['evalWork']>().mockResolvedValue(done)
  const evalMerge = vi.fn<Commands['evalMerge']>().mockResolvedValue(done)
  const context = { study: 's.json', version: '1.2.3', signal: expect.any(AbortSignal), progress: expect.anything() }
  await new FakeProcess().run('eval run s.json', { evalRun })
  expect(evalRun.mock.calls[0]?.[0]).toEqual({ ...context, out: 'runs/eval' })
  await new FakeProcess().run('eval run s.json --shard 3/8 -o x', { evalRun })
  expect(evalRun.mock.calls[1]?.[0]).toEqual({ ...context, out: 'x', shard: { index: 2, of: 8 } })
  await new FakeProcess().run('eval work s.json --redis redis://h --queue q --idle 5', { evalWork })
  expect(evalWork.mock.calls[0]?.[0]).toEqual({ ...context, redis: 'redis://h', queue: 'q', idle: 5 })
  await new FakeProcess().run('eval merge s.json a b -o c', { evalMerge })
  expect(evalMerge.mock.calls[0]?.[0]).toEqual({ ...context, from: ['a', 'b'], out: 'c' })
})

test.each([
  ['eval run', 'study'], ['eval run s.json --shard 0/3', 'i/n'], ['eval run s.json --shard 4/3', 'i/n'], ['eval run s.json --shard 3', 'i/n'],
  ['eval run s.json --shard 1/2 --redis redis://h', 'got both'], ['eval run s.json --queue q', '--redis'], ['eval work s.json', 'redis'],
  ['eval merge s.json', 'from'],
])('%s is refused', async (argv, text) => {
  const at = new FakeProcess()
  expect(await at.run(argv)).toBe(2)
  expect(at.err).toContain(text)
})

describe('settings of an evaluation', () => {
  let folder: string
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-study-')) })
  afterAll(() => { rmSync(folder, { recursive: true }) })

  const settings = { model: 'sd', adapters: { delta: 'd.safetensors', random: { like: 'delta' } }, arms: { base: {}, npo: { negative: { delta: 1 } } }, scales: [1, 2], items: { evaluation: 4, selection: 2 } }
  const read = (changes: object): ReturnType<typeof readEvalSettings> => {
    const file = join(folder, 'study.json')
    writeFileSync(file, JSON.stringify({ ...settings, ...changes }))
    return readEvalSettings(file)
  }

  test('lead from where their file is, and prompts may be lines of another', async () => {
    writeFileSync(join(folder, 'prompts.txt'), 'a cat\n\na dog\r\n')
    expect(await read({ prompts: 'prompts.txt', metrics: { judge: 'judge.mjs' } })).toMatchObject({
      model: join(folder, 'sd'), adapters: { delta: join(folder, 'd.safetensors'), random: { like: 'delta' } },
      prompts: ['a cat', 'a dog'], metrics: { judge: join(folder, 'judge.mjs') }, seeds: [0], batch: 16, steps: 20,
    })
    const metrics = { judge: { reward: 'hps', files: 'hps', tokenizer: 'hf:owner/clip' }, detail: { reward: 'compressibility' } }
    expect(await read({ metrics })).toMatchObject({
      metrics: { judge: { ...metrics.judge, files: join(folder, 'hps') }, detail: metrics.detail },
    })
    expect(await read({ model: 'hf:owner/name' })).toMatchObject({ model: 'hf:owner/name' })
    expect(await read({ model: 'digits-16' })).toMatchObject({ model: 'digits-16' })
  })

  test.each([
    [{ arms: { base: { negative: { gamma: 1 } } } }, 'expected an adapter of delta, random, got gamma'], [{ pairs: [['npo', 'bass']] }, 'expected an arm of base, npo, got bass'],
    [{ adapters: { random: { like: 'delta' } } }, 'got delta'], [{ scales: ['1'] }, 'scales'], [{ items: { evaluation: 4 } }, 'selection'],
    [{ metrics: { judge: { reward: 'hbs', files: 'x' } } }, "expected reward to be 'pick-score' or 'hps'"], [{ metrics: { judge: { reward: 'hps' } } }, 'files'],
    [{ metrics: { judge: { reward: 'hps', files: 'x', clip: 'y' } } }, 'left out with the reward hps'], [{ metrics: { judge: 3 } }, 'metrics'],
    [{ stepps: 3 }, 'stepps'], [{ prompts: 'nothing.txt' }, 'got nothing.txt'], [{ arms: { base: { negative: { delta: 'x' } } } }, 'negative'],
  ])('%j are refused by name', async (changes, text) => {
    await expect(read(changes)).rejects.toThrow(UsageError)
    await expect(read(changes)).rejects.toThrow(text)
  })
})
