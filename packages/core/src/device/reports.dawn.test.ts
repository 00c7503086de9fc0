import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Device, type Leak, leaks, softmax, tensor } from '../index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

test('a profile names each kernel with its dispatches and time, longest first, and ends with its function', async ({ skip }) => {
  skip(!device.gpu.features.has('timestamp-query'), 'this adapter has no GPU timestamps')
  using x = tensor(device, new Float32Array(4096).fill(0.5), [64, 64])
  const { result, kernels, dispatches, host } = await device.profile(async () => {
    using y = softmax(x.matmul(x).mul(0.1)).matmul(x)
    return await y.data()
  })
  expect(result.length).toBe(4096)
  expect(kernels.reduce((n, k) => n + k.dispatches, 0)).toBe(3)
  expect(kernels.map((k) => k.label.split('/')[0]).toSorted()).toEqual(['matmul', 'matmul', 'softmax'])
  for (const k of kernels) expect(k.milliseconds).toBeGreaterThan(0)
  expect(kernels).toEqual(kernels.toSorted((a, b) => b.milliseconds - a.milliseconds))
  const tensorBytes = 64 * 64 * 4
  expect(dispatches.map(({ label, run, flops, bytes }) => [label.split('/')[0], run, flops, bytes])).toEqual([
    ['matmul', 0, 2 * 64 ** 3, 2 * tensorBytes],
    ['softmax', 0, 0, 2 * tensorBytes],
    ['matmul', 0, 2 * 64 ** 3, 3 * tensorBytes],
  ])
  dispatches.forEach((d, i) => {
    expect(d.end).toBeGreaterThan(d.begin)
    expect(d.begin).toBeGreaterThanOrEqual(dispatches[i - 1]?.end ?? 0)
  })
  expect(host.map(({ phase }) => phase).filter((phase) => phase !== 'wait')).toEqual(['plan', 'plan', 'compile', 'encode'])
  expect(host.some(({ phase }) => phase === 'wait')).toBe(true)
  for (const { begin, end } of host) expect(end).toBeGreaterThanOrEqual(begin)
  // Work begins once it is encoded, on the host's clock too.
  expect(dispatches[0]?.begin).toBeGreaterThanOrEqual(host.find(({ phase }) => phase === 'encode')?.begin ?? Infinity)
  const before = device.memory()
  using again = x.mul(2)
  await again.data()
  expect(device.memory().tensors).toBe(before.tensors + 1)
})

test('a submission of more dispatches than a query set has timestamps is profiled to its end', async ({ skip }) => {
  skip(!device.gpu.features.has('timestamp-query'), 'this adapter has no GPU timestamps')
  using w = tensor(device, [1, 0, 0, 1], [2, 2])
  const count = 2100
  const { result, dispatches } = await device.profile(async () => {
    let h = w
    for (let i = 0; i < count; i++) h = h.matmul(w)
    using last = h
    return await last.data()
  })
  expect([...result]).toEqual([1, 0, 0, 1])
  expect(dispatches.length).toBe(count)
  for (const { begin, end } of dispatches) expect(end).toBeGreaterThanOrEqual(begin)
})

test('a forgotten tensor is reported with the place that made it, and its memory comes back', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const found: Leak[] = []
  leaks.report((leak) => { found.push(leak) })
  const before = device.memory()
  const forget = (): void => { tensor(device, [1, 2, 3], [3, 1]) }
  forget()
  using kept = tensor(device, [1])
  expect(device.memory().tensors).toBe(before.tensors + 2)
  for (let k = 0; k < 50 && found.length === 0; k++) {
    collect()
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
  leaks.report(undefined)
  expect(found.map((leak) => [leak.dtype, leak.shape])).toEqual([['f32', [3, 1]]])
  expect(found[0]?.stack).toContain('reports.dawn.test.ts')
  expect(device.memory().tensors).toBe(before.tensors + 1)
  expect(kept.size).toBe(1)
})
