import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, type DeviceCounters, evaluate, gradients, type MemoryReport, randn, type Tensor, tensor } from '../index.ts'
import { Conv2d, GroupNorm, type Initialiser, Linear, Module, randomParameters } from '../nn/index.ts'
import { adamw } from '../optim/index.ts'
import { graphCases, leavesOf } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

class Net extends Module {
  readonly conv: Conv2d
  readonly norm: GroupNorm
  readonly out: Linear
  constructor(init: Initialiser) {
    super()
    this.conv = Conv2d.of(init, 1, 4, 3, { padding: 1 })
    this.norm = GroupNorm.of(init, 2, 4)
    this.out = Linear.of(init, 4, 1)
  }
  /** x [B,1,4,4] -> the same shape. */
  forward(x: Tensor): Tensor {
    return this.out.forward(this.norm.forward(this.conv.forward(x)).silu().permute([0, 2, 3, 1])).permute([0, 3, 1, 2])
  }
}

/** Device state after the tenth step and after the last: a step of a loop that is in its stride must leave no trace. */
async function tenthAndLast(steps: number, step: (k: number) => Promise<void>): Promise<[MemoryReport & DeviceCounters, MemoryReport & DeviceCounters]> {
  const state = (): MemoryReport & DeviceCounters => ({ ...device.memory(), ...device.counters(), runs: 0 })
  for (let k = 0; k < 10; k++) await step(k)
  const tenth = state()
  for (let k = 10; k < steps; k++) await step(k)
  return [tenth, state()]
}

test('a thousand training steps leave memory and caches as the tenth did', async () => {
  using net = new Net(randomParameters(device, { seed: 1 }))
  const params = net.state()
  using optimizer = adamw({ lr: 1e-3 })
  const [tenth, last] = await tenthAndLast(1000, async (k) => {
    const x = randn(device, [2, 1, 4, 4], { seed: 1, stream: k })
    const loss = net.forward(x).sub(x).square().mean()
    const updates = optimizer.update(params, gradients(loss, [...params.values()]), { lr: 1e-3 / (k + 1) })
    await evaluate(loss, ...updates)
    for (const t of [loss, ...updates]) t.dispose()
  })
  expect(last).toEqual(tenth)
})

test('a thousand sampling steps leave memory and caches as the tenth did', async () => {
  using net = new Net(randomParameters(device, { seed: 1 }))
  let x = randn(device, [2, 1, 4, 4], { seed: 2 })
  const [tenth, last] = await tenthAndLast(1000, async (k) => {
    const next = x.mul(0.9 + 0.1 / (k + 1)).add(net.forward(x).mul(0.1))
    await evaluate(next)
    x.dispose()
    x = next
  })
  expect(last).toEqual(tenth)
  x.dispose()
})

test.each(graphCases.map((c) => [c.name, c] as const))('the plan says what will be taken, to the byte: %s', async (_, c) => {
  const leaves = leavesOf(device, c)
  const loss = c.loss(leaves)
  const outputs = [loss, ...gradients(loss, Object.values(leaves).filter((t) => t.dtype === 'f32'))]
  const { peakBytes } = device.plan(...outputs)
  device.resetPeak()
  const before = device.memory().live
  await evaluate(...outputs)
  expect(peakBytes).toBeGreaterThan(0)
  expect(device.memory().peak - before).toBe(peakBytes)
  for (const t of [...Object.values(leaves), ...outputs]) t.dispose()
})

test('evaluations asked for at once come out as one after the other', async () => {
  using x = tensor(device, [1, 2, 3])
  const shared = x.mul(2)
  const runs = Array.from({ length: 6 }, (_, k) => shared.add(k))
  const [sums] = await Promise.all([Promise.all(runs.map((t) => t.data())), evaluate(shared, ...runs), evaluate(shared)])
  expect(sums.map((d) => [...d])).toEqual(runs.map((_, k) => [2 + k, 4 + k, 6 + k]))
  for (const t of [shared, ...runs]) t.dispose()
})

test('leaves, views, scalars, duplicates and tensors computed before can all be asked for', async () => {
  using x = tensor(device, [1, 2, 3, 4], [2, 2])
  using view = x.transpose()
  using row = x.slice(0, 1)
  using sum = x.sum()
  using wide = sum.expand([3])
  await evaluate(x, view, view, row, sum, wide)
  expect([...await view.data()]).toEqual([1, 3, 2, 4])
  expect([...await row.data()]).toEqual([3, 4])
  expect(await sum.item()).toBe(10)
  expect([...await wide.data()]).toEqual([10, 10, 10])
  // Views that were asked for have memory of their own: they outlive what they looked at.
  x.dispose()
  expect([...await view.data()]).toEqual([1, 3, 2, 4])
  await evaluate()
})

test('tensors without elements go through', async () => {
  using none = tensor(device, [], [0, 3])
  using more = none.mul(2).add(1)
  using sum = none.sum({ axes: 0 })
  expect([...await none.data()]).toEqual([])
  expect([...await more.data()]).toEqual([])
  expect([...await sum.data()]).toEqual([0, 0, 0])
})
