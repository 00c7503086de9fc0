import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { commands } from '../commands.ts'
import { silentProgress } from '../progress/index.ts'
import { tinyModels } from '../testing/index.ts'
import type { ReconstructResult } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'antipode-reconstruct-'))
afterAll(() => { rmSync(folder, { recursive: true }) })
const { signal } = new AbortController()
const taef2 = join(tinyModels.sd, '../taef2')
const common = { dtype: 'f32', progress: silentProgress, signal } as const

test('a picture goes through TAEF2 from the command line as near as its author\'s code brings it', async () => {
  const out = join(folder, 'back.png')
  const { data, text } = await commands.reconstruct({ ...common, image: join(taef2, 'astronaut.png'), model: taef2, out })
  const { decibels, latents } = data as ReconstructResult
  expect([decibels.toFixed(2), latents]).toEqual(['32.20', [32, 32, 32]])
  expect(text).toBe(`${out}\n32.20 dB by AutoencoderTiny, 256×256 pixels as latents of 32×32×32\n`)
  expect(existsSync(out)).toBe(true)
})
