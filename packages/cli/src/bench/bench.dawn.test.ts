import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { silentProgress } from '../progress/index.ts'
import { benchDevice } from './bench.ts'
import { benchText } from './bench-text.ts'
import type { ChromeTrace } from './trace.ts'
import { runTune } from './tune/tune.ts'
import { digitsSample, digitsTrain, graph } from './workloads.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const options = { workload: 'matmul', signal: new AbortController().signal, progress: silentProgress } as const

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-bench-'))
  onTestFinished(() => { rmSync(folder, { recursive: true }) })
  return folder
}

test('a tiny product is profiled dispatch by dispatch, into a report, a table and a trace', async ({ skip }) => {
  skip(!device.gpu.features.has('timestamp-query'), 'this adapter has no GPU timestamps')
  const trace = join(temporaryFolder(), 'trace.json')
  const report = await benchDevice(device, { ...options, trace }, (on) => graph(on, 'tiny', [[4, 5], [5, 3]], ([a, b]) => a.matmul(b)))
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  const { profile, ceilings } = report
  // The product, and the two that are its gradients.
  expect(profile.flops).toBe(3 * 2 * 4 * 5 * 3)
  expect(profile.kernels.reduce((n, k) => n + k.dispatches, 0)).toBe(profile.dispatches)
  expect(profile.kernels.reduce((sum, k) => sum + k.share, 0)).toBeCloseTo(1, 9)
  expect(profile.host.compile).toBe(0)
  for (const { perSecond } of [ceilings.flops, ceilings.bytes, ceilings.copy]) expect(perSecond).toBeGreaterThan(0)
  expect(benchText(report)).toContain('Profile of matmul: tiny')
  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as ChromeTrace
  expect(traceEvents.filter((e) => e.ph === 'X' && e.tid === 1).length).toBe(profile.dispatches * profile.rounds)
  expect(new Set(traceEvents.flatMap((e) => (e.ph === 'X' && e.tid === 2 ? [e.name] : [])))).toEqual(new Set(['plan', 'encode', 'wait']))
  expect(device.memory()).toMatchObject({ live: 0, tensors: 0 })
})

test('the digits workloads repeat their rounds and leave nothing behind', async () => {
  const { signal } = options
  for (const start of [() => digitsTrain(device, { batch: 2, signal }), () => digitsSample(device, { batch: 2, steps: 2, signal })]) {
    const workload = start()
    for (let i = 0; i < 3; i++) await workload.round()
    const { plans } = device.counters()
    await workload.round()
    expect(device.counters().plans).toBe(plans)
    await workload[Symbol.asyncDispose]()
    expect(device.memory()).toMatchObject({ live: 0, tensors: 0 })
  }
})

test('what is tuned is kept, and the next device goes by it', async ({ skip }) => {
  skip(device.target.textureRows === 0, 'this adapter packs nothing')
  vi.stubEnv('XDG_CACHE_HOME', temporaryFolder())
  onTestFinished(() => { vi.unstubAllEnvs() })
  const report = await runTune(options, (products) => products.slice(0, 2))
  expect(report.samples.map(({ name }) => name)).toEqual(['matmul 8×8×8', 'matmul 64×64×64'])
  expect(report.regretNow).toBeLessThanOrEqual(report.regretBefore)
  await using tuned = await Device.request()
  expect(tuned.target.tuning.packing).toEqual(report.packing)
  expect(tuned.target.tuning.measured).toContain('antipode bench --tune on this adapter, 2 products')
  await using plain = await Device.request({ tuning: 'built-in' })
  expect(plain.target.tuning).toEqual(device.target.tuning)
})
