import { ConfigError, Device, evaluate, randn, scope, ShapeError, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, mergedState, setAdapter } from '@antipode/core/nn'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gap, take, ToyDenoiser } from '../testing/toy.ts'
import { cosine, dot, merge, norm, offsetOf, offsets, randomOffset, scaled, type Weights } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const vector = (values: Readonly<Record<string, readonly number[]>>): Map<string, Tensor> =>
  new Map(Object.entries(values).map(([name, v]) => [name, tensor(device, v)]))
const sizes = { width: 4, classes: 2, hidden: 6 }
const inputs = (): [Tensor, Tensor, Tensor] =>
  [randn(device, [2, 4], { seed: 1 }), tensor(device, [10, 900]), tensor(device, [1, 0, 0, 1], [2, 2])]

/** A model with trained adapters η and δ. */
async function withAdapters(): Promise<ToyDenoiser> {
  const model = ToyDenoiser.of(device, 1, sizes)
  for (const [k, name] of ['dpo', 'npo'].entries()) {
    addAdapter(model, name, lora({ rank: 2, targets: /fc/ }))
    const trained = new Map([...adapterParameters(model, name)].map(([key, t], i) => [key, randn(device, t.shape, { seed: 10 * k + i }).mul(0.3)]))
    await evaluate(...trained.values())
    setAdapter(model, name, trained)
  }
  return model
}

test('adapters, adapters merged into weights and offsets merged into weights are one model', async () => {
  await scope(async () => {
    using model = await withAdapters()
    const [alpha, beta] = [0.7, 0.4]
    const base = model.state()
    const eta = offsetOf(mergedState(model, { dpo: 1 }), base)
    const delta = offsetOf(mergedState(model, { npo: 1 }), base)
    const byAdapters = await take(model.with(offsets({ dpo: alpha, npo: beta })).forward(...inputs()))
    const folded = await take(model.withParameters(mergedState(model, { dpo: alpha, npo: beta })).forward(...inputs()))
    const byOffsets = await take(model.withParameters(merge(base, [[alpha, eta], [beta, delta]])).forward(...inputs()))
    // Outputs of about 1 from sums of 7 and 6 products in f32. Measured: 1.5e-7.
    expect(gap(folded, byAdapters)).toBeLessThan(1e-6)
    expect(gap(byOffsets, byAdapters)).toBeLessThan(1e-6)
    expect(gap(byAdapters, await take(model.forward(...inputs())))).toBeGreaterThan(0.05)
  })
})

test('at α = β = 0 the negative branch is the base, to the bit', async () => {
  await scope(async () => {
    using model = await withAdapters()
    const plain = await take(model.forward(...inputs()))
    expect(await take(model.with(offsets({ dpo: 0, npo: 0 })).forward(...inputs()))).toEqual(plain)
    const base = vector({ w: [0.1, -3, -0, 1e-30] })
    const zero = vector({ w: [5, 5, 5, 5] })
    const [merged] = merge(base, [[0, zero], [-0, zero]]).values()
    const got = await take(merged as Tensor)
    expect([...got].map((v) => (Object.is(v, -0) ? '-0' : v))).toEqual([Math.fround(0.1), -3, '-0', Math.fround(1e-30)])
  })
})

test('an offset and its base give the tuned weights back, and several offsets add up', async () => {
  await scope(async () => {
    const [base, tuned] = [vector({ a: [1, 2], b: [4] }), vector({ a: [1.5, 0], b: [8] })]
    const eta = offsetOf(tuned, base)
    expect([...await (eta.get('a') as Tensor).data(), ...await (eta.get('b') as Tensor).data()]).toEqual([0.5, -2, 4])
    const again = merge(base, [[1, eta]])
    expect([...await (again.get('a') as Tensor).data(), ...await (again.get('b') as Tensor).data()]).toEqual([1.5, 0, 8])
    const both = merge(base, [[2, eta], [-0.5, eta]])
    expect([...await (both.get('a') as Tensor).data()]).toEqual([1.75, -1])
  })
})

test('half-precision weights are summed in f32 and rounded once', async ({ skip }) => {
  if (!device.target.f16) skip()
  await scope(async () => {
    // Above 2,048 f16 counts in twos: rounded after each term, 2048 + 0.8 + 0.8 would stay 2048.
    const base = new Map([['w', tensor(device, [2048, 2048], [2], { dtype: 'f16' })]])
    const eta = vector({ w: [0.8, -0.3] })
    const merged = merge(base, [[1, eta], [1, eta]]).get('w') as Tensor
    expect(merged.dtype).toBe('f16')
    expect([...await merged.data()]).toEqual([2050, 2047])
    const small = offsetOf(merge(base, [[1, eta]]), base).get('w') as Tensor
    expect(small.dtype).toBe('f32')
    // In f16 the squares alone would be infinite.
    expect(Math.abs(await norm(base).item() / (2048 * Math.SQRT2) - 1)).toBeLessThan(2e-7)
    expect((randomOffset(base, { seed: 1 }).get('w') as Tensor).dtype).toBe('f32')
  })
})

test('dot, norm and cosine of known vectors run over all parameters', async () => {
  await scope(async () => {
    const [a, b] = [vector({ x: [1, 2], y: [2] }), vector({ y: [-1], x: [2, 0] })]
    expect(await dot(a, b).item()).toBe(0)
    expect(await norm(a).item()).toBe(3)
    expect(await cosine(a, b).item()).toBe(0)
    expect(await cosine(a, a).item()).toBeCloseTo(1, 6)
    expect(await cosine(a, scaled(a, -2.5)).item()).toBeCloseTo(-1, 6)
    expect(await dot(a, scaled(a, 2)).item()).toBe(18)
    expect(await dot(a, scaled(a, tensor(device, [3], []))).item()).toBe(27)
    const sixty = vector({ x: [0.5, Math.sqrt(3) / 2], y: [0] })
    expect(await cosine(vector({ x: [1, 0], y: [0] }), sixty).item()).toBeCloseTo(0.5, 6)
    expect(await cosine(a, vector({ x: [0, 0], y: [0] })).item()).toBeNaN()
  })
})

test('a random offset has the length of its model in every parameter, and another direction for every seed', async () => {
  await scope(async () => {
    const like: Weights = new Map([['a', randn(device, [40, 50], { seed: 1 })], ['b', randn(device, [500], { seed: 2 }).mul(0.01)]])
    const [first, again, other] = [randomOffset(like, { seed: 7 }), randomOffset(like, { seed: 7 }), randomOffset(like, { seed: 8 })]
    for (const name of ['a', 'b']) {
      const one = (w: Weights): Weights => new Map([[name, w.get(name) as Tensor]])
      const ratio = await norm(one(first)).div(norm(one(like))).item()
      // Sums of 2,000 squares in f32.
      expect(Math.abs(ratio - 1)).toBeLessThan(1e-6)
      expect(await (first.get(name) as Tensor).data()).toEqual(await (again.get(name) as Tensor).data())
      // Directions in n dimensions are 1/√n from orthogonal: five deviations of the smaller parameter.
      for (const w of [like, other]) expect(Math.abs(await cosine(one(first), one(w)).item())).toBeLessThan(5 / Math.sqrt(500))
    }
  })
})

test('weights of different models are refused by the name or shape that differs', async () => {
  await scope(() => {
    const base = vector({ a: [1, 2], b: [3] })
    for (const other of [vector({ a: [1, 2] }), vector({ a: [1, 2], b: [3], c: [4] }), vector({ a: [1, 2], b: [3, 4] }), new Map<string, Tensor>()]) {
      expect(() => offsetOf(base, other)).toThrow(ShapeError)
      expect(() => offsetOf(other, base)).toThrow(ShapeError)
      expect(() => merge(base, [[1, other]])).toThrow(ShapeError)
      expect(() => dot(other, base)).toThrow(ShapeError)
      expect(() => cosine(base, other)).toThrow(ShapeError)
    }
    expect(() => merge(base, [[1, vector({ a: [1, 2], b: [3], c: [4] })]])).toThrow(/"c" on one side only/)
    expect(() => merge(base, [[1, vector({ a: [1, 2], b: [3, 4] })]])).toThrow(/\[2\] for \[1\] at "b"/)
    for (const weight of [Number.NaN, Infinity, 1e39]) expect(() => merge(base, [[weight, base]])).toThrow(ConfigError)
    expect(() => scaled(base, Number.NaN)).toThrow(ConfigError)
    for (const options of [{}, { seed: -1 }, { seed: 1, scale: 2 }]) expect(() => randomOffset(base, options as never)).toThrow(ConfigError)
    expect(() => norm(new Map())).toThrow(ShapeError)
  })
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
