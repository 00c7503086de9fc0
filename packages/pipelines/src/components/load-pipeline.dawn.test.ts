import { fileURLToPath } from 'node:url'
import { CheckpointError, ConfigError, Device } from '@antipode/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectDrawn } from '../testing/index.ts'
import { loadPipeline } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const folder = (name: string): string => fileURLToPath(new URL(`../../test/${name}`, import.meta.url))

test.each(['sd', 'sdxl'] as const)('a pipeline that diffusers saved draws what it drew there: %s', async (name) => {
  await expectDrawn(device, name, folder(name))
})

test('one model of a pipeline, and options that nobody knows, are refused, and nothing stays on the device', async () => {
  await expect(loadPipeline(device, folder('sd/vae'))).rejects.toThrow(CheckpointError)
  await expect(loadPipeline(device, folder('sd'), { dtpye: 'f32' } as object)).rejects.toThrow(ConfigError)
})

test('a load that is aborted anywhere leaves nothing on the device', async () => {
  for (const after of [0, 1, 40, 120]) {
    const controller = new AbortController()
    let read = 0
    const loading = loadPipeline(device, folder('sd'), { signal: controller.signal, onProgress: () => { if (read++ === after) controller.abort(new Error('enough')) } })
    await expect(loading).rejects.toThrow('enough')
    expect(device.memory().tensors).toBe(0)
  }
})
