// A training run as a process of its own, for tests to kill: `run-toy.ts PATH` saves every step at PATH, continues what is
// there, and writes a line after each step.

import { existsSync, writeSync } from 'node:fs'
import { Device } from '@antipode/core'
import { ToyRun } from './toy-run.ts'

const path = process.argv[2] ?? ''
await using device = await Device.request()
using run = new ToyRun(device)
for await (const { step } of run.train({ checkpoint: { path, every: 1, recipe: 'toy' }, resume: existsSync(path) })) {
  writeSync(1, `step ${step}\n`)
}
