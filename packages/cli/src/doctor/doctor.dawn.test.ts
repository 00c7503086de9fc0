import { Device } from '@antipode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentProgress } from '../progress/index.ts'
import { describeGpu } from './doctor.ts'
import { doctorText, runDoctor } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

test('the adapter computes right products, its rates are positive and nothing is left on it', async () => {
  const report = await describeGpu(device, { signal: new AbortController().signal, progress: silentProgress })
  expect(report.measured.matmul.map(({ dtype }) => dtype)).toEqual(device.target.f16 ? ['f32', 'f16'] : ['f32'])
  for (const { correct, gflops, milliseconds, size } of report.measured.matmul) {
    expect(correct).toBe(true)
    expect(gflops).toBeCloseTo((2 * size ** 3) / milliseconds / 1e6, 6)
  }
  for (const rate of [report.measured.copy, report.measured.elementwise, report.measured.readback]) {
    expect(rate.gigabytesPerSecond).toBeGreaterThan(0)
    expect(rate.milliseconds).toBeGreaterThan(0)
  }
  // The elementwise kernel reads one array and writes another.
  expect(report.peakMemory).toBeGreaterThanOrEqual(2 * report.measured.elementwise.bytes)
  expect(report.limits['maxBufferSize']).toBe(device.gpu.limits.maxBufferSize)
  expect(device.memory()).toMatchObject({ live: 0, tensors: 0 })
})

test('an aborted signal stops it, and frees what it had taken', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(describeGpu(device, { signal, progress: silentProgress })).rejects.toThrow('enough')
  expect(device.memory()).toMatchObject({ live: 0, tensors: 0 })
})

test('the whole report survives JSON unchanged', async () => {
  const report = await runDoctor({ signal: new AbortController().signal, progress: silentProgress })
  expect(report).toMatchObject({ schemaVersion: 1, ok: true, verdict: { status: device.adapter.software ? 'software' : 'gpu' } })
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  expect(doctorText(report)).toContain(device.adapter.description)
})
