import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, gradients, randn, type Tensor } from '../index.ts'
import { sgd } from '../optim/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const size = 256
const shape = [size, size]
const fresh = (stream: number): Tensor => randn(device, shape, { seed: 3, stream })

/** The product of a fresh matrix and w, and how many operands were packed for it. */
async function product(w: Tensor, stream: number): Promise<{ readonly sum: number; readonly packed: number }> {
  using x = fresh(stream)
  await evaluate(x)
  using y = x.matmul(w)
  const { dispatches } = await device.profile(() => evaluate(y))
  return { sum: Array.from(await y.data()).reduce((s, v, i) => s + v * Math.cos(i), 0), packed: dispatches.filter((d) => d.label.includes('pack-')).length }
}

/** What {@link product} gives of a matrix of which nothing is packed yet. */
async function freshly(w: Tensor, stream: number): Promise<number> {
  using copy = w.add(0)
  await evaluate(copy)
  return (await product(copy, stream)).sum
}

test('a matrix that two runs have met stays packed, one that differs each time does not', async () => {
  using w = fresh(9)
  await evaluate(w)
  const packed = []
  for (let run = 0; run < 4; run++) packed.push((await product(w, run)).packed)
  // Some adapters pack nothing.
  expect(packed).toEqual(device.target.textureRows > 0 ? [2, 2, 1, 1] : [0, 0, 0, 0])
})

test('a matrix that is written, or updated by another plan, is packed again', async () => {
  using w = fresh(9)
  await evaluate(w)
  for (let run = 0; run < 3; run++) await product(w, run)
  w.write(Float32Array.from({ length: size * size }, (_, i) => Math.sin(i)))
  const written = (await product(w, 4)).sum
  expect(written).toBe(await freshly(w, 4))
  for (let run = 0; run < 3; run++) await product(w, run)
  const optimizer = sgd({ lr: 0.1 })
  const parameters = new Map([['w', w]])
  const updates = optimizer.update(parameters, gradients(w.square().sum(), [w]))
  await evaluate(...updates)
  for (const t of updates) t.dispose()
  optimizer[Symbol.dispose]()
  const updated = (await product(w, 4)).sum
  expect(updated).toBe(await freshly(w, 4))
  expect(updated).not.toBe(written)
})

test('what is kept goes with its matrix, and when memory is trimmed', async () => {
  device.trim()
  const { live } = device.memory()
  const w = fresh(9)
  await evaluate(w)
  for (let run = 0; run < 4; run++) await product(w, run)
  const kept = device.memory().live
  device.trim()
  expect(device.memory().live).toBeLessThanOrEqual(kept)
  for (let run = 0; run < 4; run++) await product(w, run)
  expect(device.memory().live).toBe(kept)
  w.dispose()
  expect(device.memory().live).toBe(live)
})
