import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { FakeHost, interpret, waves } from '@antipode/core/testing'
import type { GeneratedImage } from '@antipode/pipelines'
import { compressibilityReward } from '@antipode/rewards'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UsageError } from '../usage-error.ts'
import { metricDigest, metricsOf } from './metrics.ts'

const host = new FakeHost()
const { signal } = new AbortController()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-metrics-'))
  writeFileSync(join(folder, 'longest.mjs'), 'export default (pictures, prompts) => prompts.map((p, i) => p.length + pictures[i].width)')
  writeFileSync(join(folder, 'none.mjs'), 'export const score = 1')
})
afterAll(() => { rmSync(folder, { recursive: true }) })

/** A picture of waves in bytes, as pipelines give them: RGBA, rows from the top. */
function picture(name: string): { image: GeneratedImage; pixels: ReturnType<typeof waves> } {
  const size = [1, 3, 8, 16] as const
  const bytes = interpret([waves(host, name, size, 128, 100)])[0]!.map(Math.round)
  const data = new Uint8ClampedArray(8 * 16 * 4).fill(255)
  for (let c = 0; c < 3; c++) for (let i = 0; i < 128; i++) data[4 * i + c] = bytes[c * 128 + i]!
  const pixels = waves(host, name, size, 128, 100).add(0.5).floor().div(255)
  return { image: { data, width: 16, height: 8 } as GeneratedImage, pixels } // all that metrics look at
}

test('rewards by name and modules score pictures by their prompts', async () => {
  const metrics = await metricsOf(host, { detail: { reward: 'compressibility' }, judge: join(folder, 'longest.mjs') }, signal)
  const drawn = [picture('a'), picture('b')]
  const images = drawn.map(({ image }) => image)
  const scores = await metrics.get('detail')!.score(images, ['a cat', 'a dog'], signal)
  for (const [i, { pixels }] of drawn.entries()) {
    const [want] = interpret([compressibilityReward()(pixels, undefined)])[0]!
    expect(Math.abs(scores[i]! - want!)).toBeLessThan(1e-6)
  }
  expect(await metrics.get('judge')!.score(images, ['a cat', ''], signal)).toEqual([21, 16])
})

test('metrics that cannot be loaded are refused by what they are', async () => {
  const none = join(folder, 'none.mjs')
  await expect(metricsOf(host, { judge: none }, signal)).rejects.toThrow(UsageError)
  await expect(metricsOf(host, { judge: { reward: 'hps', files: folder } }, signal)).rejects.toThrow(CheckpointError)
  await expect(metricsOf(host, { judge: { reward: 'hps', files: folder } }, signal)).rejects.toThrow('longest.mjs')
})

test('scores depend on the files of a reward', async () => {
  const choice = { reward: 'hps', files: folder, dtype: 'f16' } as const
  const before = await metricDigest(choice)
  expect(before).toMatchObject({ reward: 'hps', dtype: 'f16', files: expect.stringMatching(/^[0-9a-f]{64}$/) })
  writeFileSync(join(folder, 'HPS_v2.1_compressed.pt'), 'x')
  expect(await metricDigest(choice)).not.toEqual(before)
})
