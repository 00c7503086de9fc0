// `npm run kill -- 200` kills toy runs so often, half of them within a save, and counts those that ended in the same weights.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { killRuns } from './kill-runs.ts'
import { ToyRun } from './toy-run.ts'

const kills = Number(process.argv[2] ?? 200)
const folder = mkdtempSync(join(tmpdir(), 'antipode-kill-'))
const whole = join(folder, 'whole.safetensors')
{
  await using device = await Device.request()
  using run = new ToyRun(device)
  for await (const _ of run.train({ checkpoint: { path: whole, every: 1000, recipe: 'toy' } }));
}
const { moments: _, left, ...counts } = await killRuns({ path: join(folder, 'killed.safetensors'), kills, expected: readFileSync(whole) })
rmSync(folder, { recursive: true })
console.log({ ...counts, left })
process.exitCode = counts.equal === kills && left.length === 0 && counts.insideSave >= kills / 4 ? 0 : 1
