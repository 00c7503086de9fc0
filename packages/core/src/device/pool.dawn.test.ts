import { afterAll, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, gradients, randn } from '../index.ts'
import { Linear, randomParameters } from '../nn/index.ts'
import { adamw } from '../optim/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

test('training and evaluation in batches of changing sizes hold a quarter more than planned at most', async () => {
  const width = 64
  using first = Linear.of(randomParameters(device, { seed: 1 }), width, width)
  using second = Linear.of(randomParameters(device, { seed: 2 }), width, width)
  using optimizer = adamw({ lr: 1e-3 })
  const params = new Map([['first', first.weight], ['second', second.weight]])
  let planned = 0
  const run = async (batch: number, trains: boolean): Promise<void> => {
    const x = randn(device, [batch, width], { seed: 1 })
    let h = x
    for (let k = 0; k < 3; k++) h = second.forward(first.forward(h).silu()).add(x)
    const loss = h.square().mean()
    const outputs = trains ? [loss, ...optimizer.update(params, gradients(loss, [...params.values()]))] : [h, loss]
    planned = Math.max(planned, device.plan(...outputs).peakBytes)
    await evaluate(...outputs)
    for (const t of outputs) t.dispose()
  }
  let largest = 0
  for (const batch of [2000, 16_000, 3000, 9000, 12_500, 15_000, 5000, 16_000]) {
    for (const trains of [true, false]) {
      await run(batch, trains)
      const { live, pooled } = device.memory()
      expect(live + pooled, `batch ${batch}`).toBeLessThanOrEqual(1.25 * (live + planned) + 2 ** 22)
      largest = Math.max(largest, live + pooled)
    }
  }
  // And what is planned for is kept: the last run needed nothing new.
  const { buffers } = device.counters()
  await run(16_000, false)
  expect(device.counters().buffers).toBe(buffers)
  expect(largest).toBeGreaterThan(planned)
})
