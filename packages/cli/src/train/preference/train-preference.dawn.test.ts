import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { readSafetensors } from '@antipode/core/io'
import { decode } from 'fast-png'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../commands.ts'
import { silentProgress } from '../../progress/index.ts'
import { run } from '../../run.ts'
import { writeTinyCheckpoint, writeTinyPairs } from '../../testing/index.ts'
import { resolveSettings } from '../../train-settings/index.ts'
import { runTrainPreference, type TrainPreferenceOptions } from './index.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-train-'))
  writeTinyCheckpoint(join(folder, 'model'))
  writeTinyPairs(join(folder, 'pairs'), 12)
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
const at = (name: string): string => join(folder, name)

/** Runs `antipode` and gives what it printed as JSON. */
async function antipode(...argv: readonly string[]): Promise<{ readonly code: number; readonly data: unknown; readonly said: string }> {
  let [out, said] = ['', '']
  const code = await run([...argv, '--json'], {
    commands, version: '1.2.3', signals: new EventEmitter(), exit: () => undefined, now: () => 0,
    stdout: { write: async (text) => { out += text } },
    stderr: new Writable({ write: (chunk, _encoding, next) => { said += String(chunk); next() } }),
  })
  return { code, data: JSON.parse(out), said }
}

const shared = (): string[] => ['--cache', at('cache')]

test('both offsets of negative preference optimisation from a folder of pairs, by the command line', async () => {
  const dpo = await antipode('train', 'dpo', '--model', at('model'), '--pairs', at('pairs'), '--out', at('dpo'), ...shared(), '--dtype', 'f32',
    '--steps', '4', '--batch', '2', '--rank', '2', '--learning-rate', '0.01', '--beta', '200', '--sample-every', '2', '--sample-steps', '2')
  expect(dpo.said).toContain('12 pairs, 12 encoded now')
  expect([dpo.code, dpo.data]).toMatchObject([0, { adapter: at('dpo/dpo.safetensors'), steps: 4, pairs: { pairs: 12, ties: 0, damaged: 0 } }])
  expect(readdirSync(at('dpo')).map((name) => name.replace(/tfevents.*/, 'tfevents')).sort()).toEqual(
    ['dpo.safetensors', 'events.out.tfevents', 'metrics.jsonl', 'run.safetensors', 'samples', 'settings.json'],
  )
  const lines = readFileSync(at('dpo/metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { step: number; loss: number })
  expect(lines.map(({ step }) => step)).toEqual([0, 1, 2, 3])
  expect(lines[0]?.loss).toBeCloseTo(Math.LN2, 4)
  // Three prompts, each without the adapter and with it.
  expect(readdirSync(at('dpo/samples'))).toEqual(['000002.png', '000004.png'])
  expect(decode(readFileSync(at('dpo/samples/000004.png')))).toMatchObject({ width: 2 * 20 - 4, height: 3 * 20 - 4 })

  const npo = await antipode('train', 'npo', '--settings', at('dpo/settings.json'), '--out', at('npo'), ...shared(), '--sample-every', '0')
  expect([npo.code, npo.data]).toMatchObject([0, { adapter: at('npo/npo.safetensors'), steps: 4 }])
  expect(npo.said).toContain('12 pairs, 0 encoded now')
  expect(JSON.parse(readFileSync(at('npo/settings.json'), 'utf8'))).toMatchObject({ objective: 'npo', rank: 2, beta: 200, sampleEvery: 0 })
  const [eta, delta] = await Promise.all(['dpo/dpo.safetensors', 'npo/npo.safetensors'].map((name) => readSafetensors(at(name))))
  expect(eta!.tensors.size).toBe(64)
  expect([...delta!.tensors.keys()]).toEqual([...eta!.tensors.keys()])
  const [name = ''] = [...eta!.tensors.keys()].filter((key) => key.endsWith('lora_B.weight'))
  const [a, b] = [await eta!.readFloat32(name), await delta!.readFloat32(name)]
  expect(a.some((v) => Math.abs(v) > 1e-3)).toBe(true)
  expect(a).not.toEqual(b)
  await Promise.all([eta!.close(), delta!.close()])
})

test('a run that is interrupted goes on with the same command to the same adapter, to the bit', async () => {
  const settings = await resolveSettings({
    objective: 'dpo', model: at('model'), pairs: at('pairs'), dtype: 'f32', steps: 3, batch: 2, rank: 2, learningRate: 0.01, beta: 200,
  })
  const options = (out: string, more: Partial<TrainPreferenceOptions> = {}): TrainPreferenceOptions => ({
    settings, out: at(out), cache: at('cache'), resume: true, signal: new AbortController().signal, progress: silentProgress, ...more,
  })
  await runTrainPreference(options('whole'))
  const controller = new AbortController()
  const stopping = { phase: (title: string) => ({ advance: () => { if (title.startsWith('training')) controller.abort(new Error('enough')) }, done: () => undefined }) }
  await expect(runTrainPreference(options('parts', { signal: controller.signal, progress: stopping }))).rejects.toThrow('enough')
  expect(existsSync(at('parts/dpo.safetensors'))).toBe(false)
  await runTrainPreference(options('parts'))
  for (const name of ['dpo.safetensors', 'metrics.jsonl']) expect(readFileSync(at(`parts/${name}`)).equals(readFileSync(at(`whole/${name}`)))).toBe(true)
  // Done, the same command does no more, and other settings are refused.
  expect((await runTrainPreference(options('parts'))).last?.step).toBe(2)
  await expect(runTrainPreference({ ...options('parts'), settings: { ...settings, beta: 100 } })).rejects.toThrow('a run of another recipe')
})
