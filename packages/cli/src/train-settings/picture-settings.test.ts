import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeProcess } from '../testing/index.ts'
import { resolvePictures } from './index.ts'

let folder = ''
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'antipode-settings-')) })
afterAll(() => rm(folder, { recursive: true, force: true }))

test('what is given counts before the file of configurations, and that before what is usual', async () => {
  const file = join(folder, 'config.json')
  await writeFile(file, '{"unet": {"layers_per_block": 2}}')
  const settings = await resolvePictures({ stage: 'base', data: 'd', autoencoder: 'a', steps: 300 }, file)
  expect(settings).toMatchObject({ config: { unet: { layers_per_block: 2 } }, steps: 300, batch: 32, side: 64 })
})

test.each([
  [{ stage: 'autoencoder' }, 'expected data to be'],
  [{ stage: 'base', data: 'd' }, 'expected autoencoder to be'],
  [{ stage: 'autoencoder', data: 'd', scale: 2 }, 'expected scale left out, got it'],
  [{ stage: 'autoencoder', data: 'd', ema: 1 }, 'expected ema to be a number of 0 or more, below 1, got 1'],
  [{ stage: 'base', data: 'd', from: 'f', clip: 'c' }, 'expected clip left out with from, whose models say it, got both'],
  [{ stage: 'base', data: 'd', autoencoder: 'a', clip: 'c', vocabulary: 600 }, 'expected vocabulary left out with clip'],
  [{ stage: 'base', data: 'd', autoencoder: 'a', steps: 200 }, 'expected more steps than the warm-up has, got 200 and 200'],
] as const)('settings %j are refused', async (given, message) => {
  await expect(resolvePictures(given as never)).rejects.toThrow(message)
})

test('a file of configurations that is none is refused', async () => {
  const file = join(folder, 'other.json')
  for (const text of ['{', '[]', '{"unet": 1}']) {
    await writeFile(file, text)
    await expect(resolvePictures({ stage: 'autoencoder', data: 'd' }, file)).rejects.toThrow('train autoencoder: expected --config')
  }
})

test.each([
  ['train autoencoder', 'error: required option'],
  ['train autoencoder --data d --scale 2', "error: unknown option '--scale'"],
  ['train base --data d', 'train base: expected autoencoder to be'],
  ['train base --data d --autoencoder a --model digits-16', 'error: expected --model left out with --data'],
  ['train base --scale 2', 'error: expected scale with --data, got it alone'],
])('%s is wrong usage', async (argv, message) => {
  const at = new FakeProcess()
  expect(await at.run(argv)).toBe(2)
  expect(at.err).toContain(message)
})

test('flags become settings', async () => {
  const at = new FakeProcess()
  let got: unknown
  await at.run('train autoencoder -d d --steps 300 --kl 0 --fresh', {
    trainPictures: (options) => {
      got = options
      return Promise.resolve({ data: {}, text: '\n', exitCode: 0 })
    },
  })
  expect(got).toMatchObject({ settings: { stage: 'autoencoder', data: 'd', steps: 300, kl: 0, edges: 1 }, out: 'runs/autoencoder', resume: false })
})
