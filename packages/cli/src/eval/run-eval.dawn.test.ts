import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { addAdapter, lora } from '@antipode/core/nn'
import { digitsLoraTargets } from '@antipode/digits'
import { saveAdapter } from '@antipode/models'
import { addRandomAdapter } from '@antipode/npo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBase } from '../demo/index.ts'
import { silentProgress } from '../progress/index.ts'
import { runEval, runEvalMerge } from './run-eval.ts'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-eval-'))
  await using device = await Device.request()
  const { unet } = await loadBase(device, 'digits-16', undefined)
  using _ = unet
  addAdapter(unet, 'form', lora({ rank: 2, targets: digitsLoraTargets, seed: 1 }))
  for (const seed of [0, 1]) {
    await addRandomAdapter(unet, `d${seed}`, { like: 'form', seed })
    await saveAdapter(join(folder, `seed${seed}.safetensors`), unet, { name: `d${seed}` })
  }
  writeFileSync(join(folder, 'study.json'), JSON.stringify({
    model: 'digits-16', adapters: { delta: 'seed{seed}.safetensors', random: { like: 'delta' } },
    arms: { base: {}, npo: { negative: { delta: 1 } }, control: { negative: { random: 1 } } },
    scales: [1, 2], seeds: [0, 1], items: { evaluation: 3, selection: 1 }, batch: 3, steps: 1, bootstrap: { seed: 1, samples: 50 },
  }))
})
afterAll(() => { rmSync(folder, { recursive: true }) })

const shared = (): { study: string; version: string; progress: typeof silentProgress; signal: AbortSignal } =>
  ({ study: join(folder, 'study.json'), version: '0.0.0', progress: silentProgress, signal: new AbortController().signal })

test('digits are evaluated alone or in shares, which merge into the same report, byte for byte', async () => {
  const whole = await runEval({ ...shared(), out: join(folder, 'whole') })
  // 2 seeds × 2 sets of noises × (3 arms at one scale, and one positive without guidance).
  expect(whole.jobs).toBe(2 * 2 * (3 + 1))
  for (const index of [0, 1]) {
    expect(await runEval({ ...shared(), out: join(folder, `share${index}`), shard: { index, of: 2 } })).toEqual({ jobs: 8 })
  }
  await runEvalMerge({ ...shared(), from: [join(folder, 'share1'), join(folder, 'share0')], out: join(folder, 'merged') })
  for (const file of ['evaluation.json', 'evaluation.html']) {
    const read = (name: string): Buffer => readFileSync(join(folder, name, file))
    expect(read('merged').equals(read('whole')), file).toBe(true)
  }
  const { comparison } = JSON.parse(readFileSync(join(folder, 'whole', 'evaluation.json'), 'utf8')) as { comparison: { ownBest: { a: string; b: string; clusters: number; count: number }[] } }
  expect(comparison.ownBest.map(({ a, b, clusters, count }) => [a, b, clusters, count])).toEqual([['npo', 'base', 2, 6], ['control', 'base', 2, 6]])
})
