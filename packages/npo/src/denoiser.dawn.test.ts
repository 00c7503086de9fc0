import { Device, scope, ShapeError, tensor } from '@antipode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Condition, joinConditions } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

test('conditions join along the batch, alone or by name, and no condition stays none', async () => {
  await scope(async () => {
    const [a, b] = [tensor(device, [1, 2], [1, 2]), tensor(device, [3, 4, 5, 6], [2, 2])]
    const joined = joinConditions(a, b)
    expect(joined.shape).toEqual([3, 2])
    expect([...await joined.data()]).toEqual([1, 2, 3, 4, 5, 6])
    const named = joinConditions({ text: a, size: b }, { size: b, text: b })
    expect([...await named.text.data()]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...await named.size.data()]).toEqual([3, 4, 5, 6, 3, 4, 5, 6])
    expect(joinConditions(undefined, undefined)).toBe(undefined)
    for (const [one, other] of [[undefined, a], [a, undefined], [{ text: a }, a], [undefined, { text: a }]] as const) {
      expect(() => joinConditions<Condition>(one, other)).toThrow(/expected conditions of one kind/)
    }
    expect(() => joinConditions<Readonly<Record<string, typeof a>>>({ text: a }, { text: a, size: b })).toThrow(ShapeError)
    expect(() => joinConditions<Readonly<Record<string, typeof a>>>({ text: a, size: b }, { text: a })).toThrow(/"size" in all/)
  })
  expect(device.memory().tensors).toBe(0)
})
