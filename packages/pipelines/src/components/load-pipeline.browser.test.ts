import { Device } from '@antipode/core'
import { expect, test } from 'vitest'
import { expectDrawn } from '../testing/index.ts'

test('a browser draws what diffusers drew, from an address', async () => {
  const device = await Device.request()
  await expectDrawn(device, 'sd', new URL('../../test/sd', import.meta.url).href)
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})
