import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError, type Tensor, tensor } from '@antipode/core'
import { encodeSafetensors, readSafetensors, type SafetensorsEntry, writeSafetensors } from '@antipode/core/io'
import { adamw, type Optimizer, sgd } from '@antipode/core/optim'
import { FakeHost } from '@antipode/core/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadRun, type RunState, saveRun } from './index.ts'

let folder: string
let path: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-checkpoint-'))
  path = join(folder, 'run.safetensors')
})
afterAll(() => { rmSync(folder, { recursive: true }) })

const device = new FakeHost()
let w: Tensor
let state: RunState
beforeEach(async () => {
  w = tensor(device, [1, 2], [2])
  state = { parameters: new Map([['w', w]]), optimizer: sgd({ lr: 1 }) }
  await saveRun(state, 3, { path, recipe: 'r' })
})

const load = (optimizer: Optimizer = state.optimizer): Promise<number> => loadRun(device, { ...state, optimizer }, { path, recipe: 'r' })

async function refused(pattern: RegExp): Promise<void> {
  const error = await load().catch((e: unknown) => e)
  expect(error).toBeInstanceOf(CheckpointError)
  expect(String(error)).toMatch(pattern)
  expect(await w.data()).toEqual(Float32Array.of(9, 9))
}

/** The run on file with some of it changed, and with the right digests for that. */
async function rewrite(metadata: Readonly<Record<string, string>>, change: Partial<SafetensorsEntry> = {}, digest = true): Promise<void> {
  await using file = await readSafetensors(path)
  const { sha256: _, ...before } = file.metadata
  const entries: SafetensorsEntry[] = []
  for await (const { bytes, ...entry } of file.stream()) entries.push({ ...entry, data: bytes, ...change })
  await writeSafetensors(path, entries, { metadata: { ...before, ...metadata }, digest })
}

test('a run comes back as it was saved', async () => {
  w.write(Float32Array.of(9, 9))
  expect(await load()).toBe(3)
  expect(await w.data()).toEqual(Float32Array.of(1, 2))
})

test('a file in which any one bit is flipped is refused, and changes nothing', async () => {
  w.write(Float32Array.of(9, 9))
  const intact = readFileSync(path)
  const accepted: number[] = []
  for (let bit = 0; bit < intact.length * 8; bit++) {
    const flipped = Uint8Array.from(intact)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    const read = async (): Promise<void> => { for await (const _ of (await readSafetensors(flipped, { verify: true })).stream()); }
    const errors = [await read().catch((e: unknown) => e)]
    // Files take longer than memory: one in seven goes the whole way, and each bit of a byte has its turn.
    if (bit % 7 === 0) {
      writeFileSync(path, flipped)
      errors.push(await load().catch((e: unknown) => e))
    }
    if (!errors.every((error) => error instanceof CheckpointError)) accepted.push(bit)
  }
  expect(intact.length).toBeGreaterThan(300)
  expect(accepted).toEqual([])
  expect(await w.data()).toEqual(Float32Array.of(9, 9))
})

test('damage to the last tensor read leaves the optimiser as it was too', async () => {
  const moments = (): Map<string, Tensor> => new Map(['exp_avg', 'exp_avg_sq'].map((slot) => [`w.${slot}`, tensor(device, [5, 6], [2])]))
  const optimizer = adamw({ lr: 1 })
  optimizer.load({ step: 2, tensors: moments() })
  await saveRun({ ...state, optimizer }, 2, { path, recipe: 'r' })
  const bytes = readFileSync(path)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(path, bytes)
  const fresh = adamw({ lr: 1 })
  await expect(load(fresh)).rejects.toThrow(/tensor "parameter\.w" as it was written/)
  expect([fresh.step, fresh.state().tensors.size]).toEqual([0, 0])
})

test.each(['', '0x3', '3.0', ' 3', '+3', '03', '-0', '1e1', '9007199254740993'])('%j is no number of steps', async (step) => {
  w.write(Float32Array.of(9, 9))
  await rewrite({ step })
  await refused(/expected a whole step, got/)
})

test('only what saveRun writes is taken', async () => {
  w.write(Float32Array.of(9, 9))
  await rewrite({}, { dtype: 'I32' })
  await refused(/expected parameter\.w in F32, got I32/)
  await rewrite({}, { dtype: 'F32' })
  await rewrite({ note: 'mine' })
  await refused(/expected emaStep, format, optimizerStep, recipe, sha256, step as metadata, got .*note/)
})

test('a run of the version before, and another file, are refused by name', async () => {
  w.write(Float32Array.of(9, 9))
  await rewrite({ format: 'antipode-run-1' }, {}, false)
  await refused(/expected a training run in .*, got one of another version, antipode-run-1; start afresh/)
  await rewrite({ format: 'antipode-run-2' }, {}, false)
  await refused(/expected a file with digests to verify, got one without/)
  writeFileSync(path, encodeSafetensors([]))
  await refused(/expected a training run in .*, got another file/)
})
