import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentProgress } from '../../progress/index.ts'
import { tinyModels } from '../../testing/index.ts'
import { type OnlineSettings, resolveOnline } from '../../train-settings/index.ts'
import { runTrainOnline, type TrainOnlineResult } from './index.ts'

let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-online-')) })
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
const at = (name: string): string => join(folder, name)

const settings = (given: Partial<OnlineSettings>): OnlineSettings => resolveOnline({
  method: 'draft', model: tinyModels.sd, prompts: ['a photo of the cat', 'a dog'], dtype: 'f32', batch: 2, runSteps: 2, scale: 2,
  steps: 2, rank: 2, ...given,
})

function run(name: string, given: Partial<OnlineSettings>): Promise<TrainOnlineResult> {
  return runTrainOnline({
    settings: settings(given), out: at(name), resume: true, signal: new AbortController().signal, progress: silentProgress,
  })
}

test('a checkpoint learns by the gradient of a reward, and the same command goes on with more steps', async () => {
  const draft: Partial<OnlineSettings> = { reward: { reward: 'compressibility' }, learningRate: 0.01, ema: 0.5 }
  const { adapter, last } = await run('draft', { ...draft, steps: 1, sampleEvery: 1 })
  expect(last?.metrics['reward']).toBeLessThan(0)
  expect(readdirSync(at('draft')).map((name) => name.replace(/tfevents.*/, 'tfevents')).sort()).toEqual(
    ['draft.safetensors', 'events.out.tfevents', 'metrics.jsonl', 'run.safetensors', 'samples', 'settings.json'],
  )
  // Two prompts, each without the adapter and with it.
  expect(decode(readFileSync(at('draft/samples/000001.png')))).toMatchObject({ width: 8 + 2 * 24, height: 8 + 2 * 24 })
  const first = readFileSync(adapter)
  expect((await run('draft', draft)).last?.step).toBe(1)
  expect(readFileSync(adapter).equals(first)).toBe(false)
  await expect(run('draft', { ...draft, learningRate: 1 })).rejects.toThrow('a run of another recipe')
})
