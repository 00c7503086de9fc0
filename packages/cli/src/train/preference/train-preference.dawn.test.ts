import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { readSafetensors } from '@antipode/core/io'
import { decode } from 'fast-png'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../commands.ts'
import type { GenerateResult } from '../../generate/index.ts'
import { type Progress, silentProgress } from '../../progress/index.ts'
import { run } from '../../run.ts'
import { pickAPic, tinyModels, writeTinyPairs } from '../../testing/index.ts'
import { resolveSettings } from '../../train-settings/index.ts'
import { runTrainPreference, type TrainPreferenceOptions } from './index.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-train-'))
  writeTinyPairs(join(folder, 'pairs'), 12)
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
const at = (name: string): string => join(folder, name)

/** Runs `antipode` and gives what it printed as JSON. */
async function antipode(
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly data: unknown; readonly said: string }> {
  let [out, said] = ['', '']
  const code = await run([...argv, '--json'], {
    commands, version: '1.2.3', signals: new EventEmitter(), exit: () => undefined, now: () => 0,
    stdout: { write: async (text) => { out += text } },
    stderr: new Writable({ write: (chunk, _encoding, next) => { said += String(chunk); next() } }),
  })
  return { code, data: JSON.parse(out), said }
}

/** So that a few steps show. */
const strong = ['--rank', '2', '--learning-rate', '0.01', '--beta', '200']
const shared = (): string[] => ['--cache', at('cache')]

test('both offsets of negative preference optimisation from a folder of pairs, by the command line', async () => {
  const dpo = await antipode(
    'train', 'dpo', '--model', tinyModels.sd, '--pairs', at('pairs'), '--out', at('dpo'), ...shared(), '--dtype', 'f32',
    '--steps', '4', '--batch', '2', ...strong, '--sample-every', '4', '--sample-steps', '2', '--ema', '0.9',
  )
  expect(dpo.said).toContain('12 pairs, 12 rows encoded now')
  expect([dpo.code, dpo.data]).toMatchObject(
    [0, { adapter: at('dpo/dpo.safetensors'), steps: 4, pairs: { pairs: 12, ties: 0, damaged: 0 } }],
  )
  expect(readdirSync(at('dpo')).map((name) => name.replace(/tfevents.*/, 'tfevents')).sort()).toEqual(
    ['dpo.safetensors', 'events.out.tfevents', 'metrics.jsonl', 'run.safetensors', 'samples', 'settings.json'],
  )
  const lines = readFileSync(at('dpo/metrics.jsonl'), 'utf8').trim().split('\n').map(
    (line) => JSON.parse(line) as { step: number; loss: number },
  )
  expect(lines.map(({ step }) => step)).toEqual([0, 1, 2, 3])
  expect(lines[0]?.loss).toBeCloseTo(Math.LN2, 4)
  // Three prompts, each without the adapter and with it.
  expect(readdirSync(at('dpo/samples'))).toEqual(['000004.png'])
  expect(decode(readFileSync(at('dpo/samples/000004.png')))).toMatchObject({ width: 8 + 2 * 24, height: 8 + 3 * 24 })

  const npo = await antipode(
    'train', 'npo', '--settings', at('dpo/settings.json'), '--out', at('npo'), ...shared(), '--sample-every', '0',
  )
  expect([npo.code, npo.data]).toMatchObject([0, { adapter: at('npo/npo.safetensors'), steps: 4 }])
  expect(npo.said).toContain('12 pairs, 0 rows encoded now')
  expect(JSON.parse(readFileSync(at('npo/settings.json'), 'utf8'))).toMatchObject(
    { objective: 'dpo', negated: true, rank: 2, beta: 200, sampleEvery: 0 },
  )
  const [eta, delta] = await Promise.all(
    ['dpo/dpo.safetensors', 'npo/npo.safetensors'].map((name) => readSafetensors(at(name))),
  )
  expect(eta!.tensors.size).toBe(64)
  expect([...delta!.tensors.keys()]).toEqual([...eta!.tensors.keys()])
  const [name = ''] = [...eta!.tensors.keys()].filter((key) => key.endsWith('lora_B.weight'))
  const [a, b] = [await eta!.readFloat32(name), await delta!.readFloat32(name)]
  expect(a.some((v) => Math.abs(v) > 1e-3)).toBe(true)
  expect(a).not.toEqual(b)
  await Promise.all([eta!.close(), delta!.close()])

  // And both are drawn with: η in both branches of guidance, δ in the negative one.
  const draw = async (out: string, ...adapters: readonly string[]): Promise<Buffer> => {
    const { code, data } = await antipode(
      'generate', '--model', tinyModels.sd, '--prompt', 'a photo of the cat', '--steps', '2', '--out', at(out), ...adapters,
    )
    expect(code).toBe(0)
    return readFileSync((data as GenerateResult).images[0]!.file)
  }
  const both = ['--adapter', at('dpo/dpo.safetensors'), '--negative-adapter', at('npo/npo.safetensors')]
  const [plain, better] = [await draw('plain'), await draw('better', ...both)].map((png) => decode(png).data)
  expect(better).toHaveLength(plain!.length)
  expect(better).not.toEqual(plain)
})

test('a run that is interrupted goes on with the same command to the same adapter, to the bit', async () => {
  const settings = await resolveSettings({ negated: false, sampleEvery: 0 }, at('dpo/settings.json'))
  const options = (out: string, more: Partial<TrainPreferenceOptions> = {}): TrainPreferenceOptions => ({
    settings, out: at(out), cache: at('cache'), resume: true, signal: new AbortController().signal,
    progress: silentProgress, ...more,
  })
  const controller = new AbortController()
  const stopping: Progress = {
    phase: (title) => ({
      advance: () => { if (title.startsWith('training')) controller.abort(new Error('enough')) }, done: () => undefined,
    }),
  }
  await expect(runTrainPreference(
    options('parts', { signal: controller.signal, progress: stopping }),
  )).rejects.toThrow('enough')
  expect(existsSync(at('parts/dpo.safetensors'))).toBe(false)
  await runTrainPreference(options('parts'))
  for (const name of ['dpo.safetensors', 'metrics.jsonl']) {
    expect(readFileSync(at(`parts/${name}`)).equals(readFileSync(at(`dpo/${name}`)))).toBe(true)
  }
  // Done, the same command does no more, and other settings are refused.
  expect((await runTrainPreference(options('parts'))).last?.step).toBe(3)
  await expect(runTrainPreference(
    { ...options('parts'), settings: { ...settings, beta: 100 } },
  )).rejects.toThrow('a run of another recipe')
  expect(JSON.parse(readFileSync(at('parts/settings.json'), 'utf8'))).toEqual(settings)
})

test('Stable Diffusion XL learns from a table as Pick-a-Pic has it', async () => {
  const { code, data, said } = await antipode(
    'train', 'dpo', '--model', tinyModels.sdxl, '--pairs', pickAPic, '--skip-damaged', '--out', at('xl'),
    '--format', 'kohya', '--steps', '1', '--batch', '2', ...strong,
  )
  expect(said).toContain('2 pairs, 5 rows encoded now, 2 ties left out, 1 damaged')
  expect([code, data]).toMatchObject(
    [0, { adapter: at('xl/dpo.safetensors'), pairs: { pairs: 2, ties: 2, damaged: 1 } }],
  )
  await using adapter = await readSafetensors(at('xl/dpo.safetensors'))
  expect([...adapter.tensors.keys()].every((name) => name.startsWith('lora_unet_'))).toBe(true)
})

test('an adapter learns on a base whose weights stay in blocks', async () => {
  const { code, said } = await antipode(
    'train', 'dpo', '--model', tinyModels.sd, '--pairs', at('pairs'), '--out', at('blocks'), ...shared(), '--dtype', 'q8_0',
    '--steps', '2', '--batch', '2', ...strong,
  )
  expect(code).toBe(0)
  // What the encoders in blocks say is not taken for what those of the file do.
  expect(said).toContain('12 pairs, 12 rows encoded now')
  const lines = readFileSync(at('blocks/metrics.jsonl'), 'utf8').trim().split('\n')
  expect((JSON.parse(lines[0]!) as { loss: number }).loss).toBeCloseTo(Math.LN2, 2)
  await using adapter = await readSafetensors(at('blocks/dpo.safetensors'))
  const [name = ''] = [...adapter.tensors.keys()].filter((key) => key.endsWith('lora_B.weight'))
  expect((await adapter.readFloat32(name)).some((v) => Math.abs(v) > 1e-3)).toBe(true)
})
