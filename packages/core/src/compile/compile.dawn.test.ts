import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { compile, Device, evaluate, gradients, scalar, type Tensor, tensor } from '../index.ts'
import { sgd } from '../optim/index.ts'
import { noise } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

/** Losses and final weights of a few steps of descent, where `wrap` may compile what gives loss and gradient. */
async function descend(wrap: <A extends readonly Tensor[], R>(fn: (...args: A) => R) => (...args: A) => R): Promise<number[][]> {
  using w = tensor(device, noise(48, 1), [8, 6])
  using optimizer = sgd({ lr: 0.1, momentum: 0.9 })
  const step = wrap((x: Tensor, target: Tensor, weight: Tensor) => {
    const loss = x.matmul(w).tanh().sub(target).square().mean().mul(weight)
    return { loss, grads: gradients(loss, [w]) }
  })
  const losses: number[] = []
  for (let k = 0; k < 5; k++) {
    using x = tensor(device, noise(32, 10 + k), [4, 8])
    using target = tensor(device, noise(24, 20 + k), [4, 6])
    const { loss, grads } = step(x.mul(1 + k), target, scalar(device, 1 / (1 + k)))
    const updates = optimizer.update(new Map([['w', w]]), grads)
    await evaluate(loss, ...updates)
    losses.push(await loss.item())
    for (const t of [loss, ...updates]) t.dispose()
  }
  return [losses, [...await w.data()]]
}

test('training by a compiled step is training by a plain one, to the bit, and sees its own updates', async () => {
  const compiled = await descend((fn) => compile(fn))
  expect(compiled).toEqual(await descend((fn) => fn))
  expect(new Set(compiled[0]).size).toBe(5)
})

test('calls share one plan, whatever their tensors hold', async () => {
  const step = compile((x: Tensor, by: Tensor) => x.mul(by).exp().sum({ axes: 0 }))
  using x = tensor(device, noise(12, 1), [3, 4])
  const before = device.counters()
  for (let k = 0; k < 4; k++) {
    using y = step(x, scalar(device, k))
    using plain = x.mul(k).exp().sum({ axes: 0 })
    expect(await y.data()).toEqual(await plain.data())
  }
  expect(device.counters().plans).toBe(before.plans + 2)
})

test('functions that are compiled anew share the plans of those before, where they compute the same on other tensors', async () => {
  using x = tensor(device, noise(12, 1), [3, 4])
  const before = device.counters().plans
  for (const seed of [2, 3, 4]) {
    using w = tensor(device, noise(12, seed), [3, 4])
    using y = compile((t: Tensor) => t.mul(w).tanh().sum({ axes: 1 }).mul(seed))(x)
    using plain = x.mul(w).tanh().sum({ axes: 1 }).mul(seed)
    expect(await y.data()).toEqual(await plain.data())
  }
  expect(device.counters().plans).toBe(before + 2)
})
