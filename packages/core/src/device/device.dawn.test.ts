import { afterAll, beforeAll, expect, test } from 'vitest'
import { conv2d, Device, evaluate, gradients, groupNorm, linear, ones, randn, tensor, upsampleNearest2d, zeros } from '../index.ts'
import { philoxNormal } from '../random/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const noise = (n: number, k = 1): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 * k) * 0.5)

test('arithmetic broadcasts, and scalars take the dtype beside them', async () => {
  using a = tensor(device, [1, 2, 3, 4, 5, 6], [2, 3])
  using b = tensor(device, [10, 20, 30])
  using y = a.mul(2).add(b).sub(1)
  expect([...await y.data()]).toEqual([11, 23, 35, 17, 29, 41])
})

test('views cost no work and read the right elements', async () => {
  using a = tensor(device, [1, 2, 3, 4, 5, 6], [2, 3])
  using y = a.transpose().slice(0, 1, 3).reshape([4]).mul(1)
  expect([...await y.data()]).toEqual([2, 5, 3, 6])
  using z = a.expand([2, 2, 3]).sum({ axes: [0, 2] })
  expect([...await z.data()]).toEqual([12, 30])
})

test('filled tensors, concatenation by hand and reductions', async () => {
  using z = zeros(device, [2, 2]).add(ones(device, [2]))
  expect([...await z.data()]).toEqual([1, 1, 1, 1])
  using m = tensor(device, noise(24), [2, 3, 4])
  using s = m.mean({ axes: [0, 2], keepDims: true })
  expect(s.shape).toEqual([1, 3, 1])
})

test('device noise equals the host generator', async () => {
  using x = randn(device, [1000], { seed: 2 ** 40 + 7, stream: 3 })
  const host = philoxNormal(1000, { seed: 2 ** 40 + 7, stream: 3 })
  const got = await x.data()
  expect(Math.max(...got.map((v, i) => Math.abs(v - (host[i] ?? 0))))).toBeLessThan(2e-6)
})

test('a small network has the gradients of central differences', async () => {
  const shapes = { x: [2, 3, 4, 4], w: [4, 3, 3, 3], b: [4], g: [4], h: [4], f: [5, 64 * 4] }
  const host = Object.fromEntries(Object.entries(shapes).map(([k, s], i) => [k, noise(s.reduce((a, c) => a * c, 1), i + 1)]))
  const build = (values: Record<string, Float32Array>) => {
    const t = Object.fromEntries(Object.entries(shapes).map(([k, s]) => [k, tensor(device, values[k] as Float32Array, s)])) as Record<keyof typeof shapes, ReturnType<typeof tensor>>
    const c = groupNorm(conv2d(t.x, t.w, { bias: t.b, padding: 1 }), 2, { weight: t.g, bias: t.h }).silu()
    const loss = linear(upsampleNearest2d(c).reshape([2, -1]), t.f.reshape([5, -1])).square().mean()
    return { t, loss }
  }
  const { t, loss } = build(host as never)
  const keys = Object.keys(shapes) as (keyof typeof shapes)[]
  const grads = gradients(loss, keys.map((k) => t[k]))
  await evaluate(loss, ...grads)
  const at = async (key: string, i: number, h: number): Promise<number> => {
    const moved = { ...host, [key]: (host[key] as Float32Array).slice() }
    moved[key]![i]! += h
    const again = build(moved as never)
    const value = await again.loss.item()
    for (const x of [...Object.values(again.t), again.loss]) x.dispose()
    return value
  }
  for (const [k, key] of keys.entries()) {
    const g = await grads[k]!.data()
    const i = 3 % g.length
    const h = 1e-2
    const numeric = (await at(key, i, h) - await at(key, i, -h)) / (2 * h)
    expect(Math.abs(g[i]! - numeric), `${key}: ${g[i]} vs ${numeric}`).toBeLessThan(2e-3 * Math.max(1, Math.abs(numeric)))
  }
  for (const x of [...Object.values(t), loss, ...grads]) x.dispose()
  expect(device.memory().tensors).toBe(0)
})

test('a repeated graph plans nothing, compiles nothing and allocates nothing', async () => {
  using w = tensor(device, noise(64), [8, 8])
  const step = async (k: number): Promise<number> => {
    using x = tensor(device, noise(32, k), [4, 8])
    using y = linear(x, w).silu().mul(k).sum()
    return await y.item()
  }
  await step(1)
  await step(2)
  const before = device.counters()
  const memory = device.memory()
  for (let k = 3; k < 10; k++) await step(k)
  expect(device.counters()).toEqual({ ...before, runs: before.runs + 7 })
  expect(device.memory()).toEqual(memory)
})

test('compiling is reported from nothing to all, once a kernel', async () => {
  const reports: string[] = []
  await using own = await Device.request({ onCompile: ({ done, total }) => { reports.push(`${done}/${total}`) } })
  using x = randn(own, [8, 8], { seed: 1 })
  await evaluate(x)
  expect(reports).toEqual(['0/1', '1/1'])
  for (let k = 0; k < 2; k++) {
    // Two products by one kernel, and what comes after by another.
    using y = x.matmul(x.matmul(x).exp())
    await evaluate(y)
  }
  expect(reports.slice(2)).toEqual(['0/2', '1/2', '2/2'])
  expect(own.counters().pipelines).toBe(3)
})
