import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, full, gradients, logSumExp, type Tensor, tensor, where } from '../index.ts'
import { sgd } from '../optim/index.ts'
import { differing, FakeHost, interpret, noise, randomGraph, relativeGap, type RandomStep, specialNoise, stepKinds } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const shapes = [[2, 3, 4], [2, 3, 4], [4], [6, 4]]
const steps = fc.array(fc.tuple(fc.nat(stepKinds - 1), fc.nat(50), fc.nat(50)), { minLength: 5, maxLength: 25 })

test('random graphs, however fused, give on the GPU what float64 gives', async () => {
  await fc.assert(fc.asyncProperty(steps, async (list: RandomStep[]) => {
    const outputsOn = (host: Device | FakeHost): { leaves: Tensor[]; outputs: Tensor[] } => {
      const leaves = shapes.map((shape, k) => tensor(host, noise(shape.reduce((a, b) => a * b), k), shape))
      const made = randomGraph(leaves, list)
      const loss = made.slice(-3).map((t) => t.mean()).reduce((a, b) => a.add(b))
      return { leaves, outputs: [loss, ...gradients(loss, leaves), made[0] as Tensor] }
    }
    const truth = interpret(outputsOn(new FakeHost()).outputs)
    const { leaves, outputs } = outputsOn(device)
    await evaluate(...outputs)
    // Up to 25 steps, each good to a few roundings of 6e-8, one after the other.
    for (const [k, t] of outputs.entries()) expect(relativeGap(await t.data(), truth[k] ?? [])).toBeLessThan(1e-5)
    for (const t of [...leaves, ...outputs]) t.dispose()
  }), { numRuns: 12, seed: 3, endOnFailure: true })
})

test('at NaN, infinities, zeros and large numbers too, wherever rounding does not decide', async () => {
  const few = fc.array(fc.tuple(fc.nat(stepKinds - 1), fc.nat(20), fc.nat(20)), { minLength: 3, maxLength: 8 })
  let [compared, all] = [0, 0]
  await fc.assert(fc.asyncProperty(few, fc.nat(1000), async (list: RandomStep[], seed) => {
    const outputsOn = (host: Device | FakeHost): { leaves: Tensor[]; outputs: Tensor[] } => {
      const leaves = shapes.map((shape, k) => tensor(host, specialNoise(shape.reduce((a, b) => a * b), seed + k), shape, { allowNonFinite: true }))
      const made = randomGraph(leaves, list)
      const loss = made.slice(-2).map((t) => t.mean()).reduce((a, b) => a.add(b))
      return { leaves, outputs: [...made, ...gradients(loss, leaves)] }
    }
    const { outputs: models } = outputsOn(new FakeHost())
    const [exact, rounded] = [interpret(models), interpret(models, undefined, { rounded: true })]
    const { leaves, outputs } = outputsOn(device)
    await evaluate(...outputs)
    const results = await Promise.all(outputs.map((t) => t.data()))
    for (const t of [...leaves, ...outputs]) t.dispose()
    for (const [k, got] of results.entries()) {
      const want = exact[k] ?? []
      const undecided = new Set(differing(rounded[k] ?? [], want, 1e-5))
      all += got.length
      compared += got.length - undecided.size
      const wrong = differing(got, want, 1e-3).filter((i) => !undecided.has(i)).map((i) => `${got[i]} for ${want[i]}`)
      expect(wrong, `value ${k} of ${outputs.length}`).toEqual([])
    }
  }), { numRuns: 6, seed: 5, endOnFailure: true })
  expect(compared / all).toBeGreaterThan(0.8)
})

/** What NaN, infinities and zeros may go through without growing beyond f32, which float64 would hold. */
const bounded: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x) => x.relu(), (x) => x.tanh(), (x) => x.sigmoid(), (x) => x.softplus(), (x) => x.abs(), (x) => x.clamp(-1, 1), (x, y) => x.maximum(y),
  (x, y) => x.minimum(y), (x, y) => where(y.gt(0), x, y), (x) => x.gelu().mul(0.5), (x) => x.max({ axes: -1, keepDims: true }), (x, y) => logSumExp(x.minimum(y)),
]

test('chains of ops on NaN, infinities and zeros, and their gradients, give on the GPU what float64 gives', async () => {
  const values = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5]
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(bounded.length - 1), { minLength: 2, maxLength: 6 }), async (chain) => {
    const outputsOn = (host: Device | FakeHost): { leaves: Tensor[]; outputs: Tensor[] } => {
      const given = { allowNonFinite: true }
      const leaves = [tensor(host, values, [8, 1], given), tensor(host, [...values].reverse().map((v) => (Number.isNaN(v) ? 0.5 : v)), [1, 8], given)]
      const [x, y] = leaves as [Tensor, Tensor]
      const end = chain.reduce((t, k) => bounded[k]?.(t, y) ?? t, x)
      return { leaves, outputs: [end, ...gradients(end.sum(), leaves)] }
    }
    const truth = interpret(outputsOn(new FakeHost()).outputs)
    const { leaves, outputs } = outputsOn(device)
    await evaluate(...outputs)
    for (const [k, t] of outputs.entries()) {
      const got = await t.data()
      const unlike = Array.from(truth[k] ?? [], (v, i) => [v, got[i] ?? 0] as const).filter(([v, g]) => !(Object.is(v, g) || v === g || Math.abs(v - g) <= 1e-5 * Math.max(1, Math.abs(v))))
      expect(unlike, `output ${k} of ${chain.join()}`).toEqual([])
    }
    for (const t of [...leaves, ...outputs]) t.dispose()
  }), { numRuns: 6, seed: 5, endOnFailure: true })
})

test('integers are compared, chosen and added exactly, beyond what f32 holds', async () => {
  const big = 2 ** 24 + 1
  using x = tensor(device, [1, -2, big, 4], [4], { dtype: 'i32' })
  using sum = x.mul(2).add(big)
  using chosen = where(x.eq(big), 7, x.neg().maximum(0))
  using filled = full(device, [4], -3, { dtype: 'i32' }).add(0)
  using unsigned = full(device, [8], 2 ** 32 - 1, { dtype: 'u32' }).sub(1)
  using less = x.lt(2).to('f32')
  await evaluate(sum, chosen, filled, unsigned, less)
  expect([...await sum.data()]).toEqual([2 + big, -4 + big, 3 * big, 8 + big])
  expect([...await chosen.data()]).toEqual([0, 2, 7, 0])
  expect([...await filled.data()]).toEqual([-3, -3, -3, -3])
  expect([...await unsigned.data()]).toEqual(new Array(8).fill(2 ** 32 - 2))
  expect([...await less.data()]).toEqual([1, 1, 0, 0])
})

test('a product may end in integers, and operands of three dtypes meet in one kernel', async ({ skip }) => {
  skip(!device.target.f16, 'this adapter has no f16')
  using a = tensor(device, [1.5, 2, 3, 4], [2, 2])
  using half = tensor(device, [0.5, 0.25], [2], { dtype: 'f16' })
  using whole = tensor(device, [1, 2], [2], { dtype: 'i32' })
  using y = a.matmul(a).add(half.to('f32')).mul(whole.to('f32'))
  using floor = a.matmul(a).to('i32')
  expect([...await y.data()]).toEqual([8.75, 22.5, 17, 44.5])
  expect([...await floor.data()]).toEqual([8, 11, 16, 22])
})

test('a value that passes through f16 is rounded to it, in a fused kernel too', async ({ skip }) => {
  skip(!device.target.f16, 'this adapter has no f16')
  using x = tensor(device, [1 / 3, 0.1, 2049, 1, 5])
  using y = x.mul(1).to('f16').to('f32').add(0)
  expect([...await y.data()]).toEqual([0.333251953125, 0.0999755859375, 2048, 1, 5])
})

test('whole powers of negative numbers, and the zeroth power of zero', async () => {
  using x = tensor(device, [-2, -1, 0, 3])
  using cube = x.pow(3)
  using one = x.pow(0)
  const [slope] = gradients(x.square().pow(1).add(x.pow(2)).sum(), [x]) as [Tensor]
  await evaluate(cube, one, slope)
  const rounded = async (t: Tensor): Promise<number[]> => [...await t.data()].map((v) => Math.round(v * 1e4) / 1e4)
  expect(await rounded(cube)).toEqual([-8, -1, 0, 27])
  expect(await rounded(one)).toEqual([1, 1, 1, 1])
  expect(await rounded(slope)).toEqual([-8, -4, 0, 12])
  slope.dispose()
})

test('what reads a parameter beside its update sees the old value, also through a snapshot taken before', async () => {
  using w = tensor(device, [1, 2, 3, 4], [2, 2])
  using snapshot = w.reshape([4])
  await evaluate(snapshot)
  using optimizer = sgd({ lr: 0.5 })
  const [next] = optimizer.update(new Map([['w', w]]), [w]) as [Tensor]
  using old = w.mul(10)
  await evaluate(next, old)
  expect([...await next.data()]).toEqual([0.5, 1, 1.5, 2])
  expect([...await w.data()]).toEqual([0.5, 1, 1.5, 2])
  expect([...await old.data()]).toEqual([10, 20, 30, 40])
  expect([...await snapshot.data()]).toEqual([1, 2, 3, 4])
  next.dispose()
})

test('a leaf that is disposed while its graph is compiled is kept until the graph has read it', async () => {
  const x = tensor(device, noise(24, 1), [24])
  const y = x.mul(0.125).sin().mul(3.5).cos().sub(0.75)
  const done = evaluate(y)
  // Past the check for disposed tensors, while kernels compile.
  await Promise.resolve()
  await Promise.resolve()
  x.dispose()
  using other = tensor(device, new Float32Array(24))
  await done
  const expected = noise(24, 1).map((v) => Math.cos(Math.sin(v * 0.125) * 3.5) - 0.75)
  expect(relativeGap(await y.data(), expected)).toBeLessThan(2e-6)
  expect(other.size).toBe(24)
  y.dispose()
})
