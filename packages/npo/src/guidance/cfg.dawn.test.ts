import { ConfigError, Device, evaluate, gradients, randn, scope, ShapeError, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, setAdapter } from '@antipode/core/nn'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { offsets } from '../offsets/index.ts'
import { gap, take, ToyDenoiser } from '../testing/toy.ts'
import { cfg, type CfgOptions } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const shape = [3, 2, 4]
/** Runs guidance between two predictions, given by their seeds. */
async function guide(away: number, towards: number, options: Pick<CfgOptions<undefined>, 'scale' | 'rescale'>): Promise<Float32Array> {
  return scope(async () => {
    const of = (seed: number) => (): Tensor => randn(device, shape, { seed })
    const denoise = cfg({ positive: of(towards), negative: of(away), unconditional: (c) => c, ...options })
    return take(denoise(randn(device, shape, { seed: 0 }), tensor(device, [1, 2, 3]), undefined))
  })
}
const values = (seed: number): Promise<Float32Array> => take(randn(device, shape, { seed }))

test('scale 1 is the positive branch itself, which never runs the negative one', () => {
  const positive = (x: Tensor): Tensor => x
  const negative = (): never => { throw new ConfigError('the negative branch ran') }
  expect(cfg({ positive, negative, unconditional: negative, scale: 1 })).toBe(positive)
})

test('scale 0 is the negative prediction, to the bit', async () => {
  expect(await guide(1, 2, { scale: 0 })).toEqual(await values(1))
})

test('equal predictions come out as they are at every scale, to the bit', async () => {
  const same = await values(1)
  for (const scale of [0, 0.3, 1.5, 7.5, 100]) expect(await guide(1, 1, { scale })).toEqual(same)
  // The rescaled one is multiplied by a quotient of equal numbers.
  expect(gap(await guide(1, 1, { scale: 7.5, rescale: 0.7 }), same)).toBeLessThan(5e-7)
})

test('guidance is linear in the scale, and is Diffusion-NPO\'s (ω + 1)·e_pos − ω·e_neg with ω = w − 1', async () => {
  const [away, towards] = [await values(1), await values(2)]
  for (const scale of [0.5, 2, 7.5]) {
    const want = towards.map((p, i) => scale * p - (scale - 1) * (away[i] ?? Number.NaN))
    // Values up to 3 times the scale, in f32.
    expect(gap(await guide(1, 2, { scale }), want)).toBeLessThan(4e-7 * Math.max(1, scale) * 3)
  }
  const [low, middle, high] = [await guide(1, 2, { scale: 2 }), await guide(1, 2, { scale: 3 }), await guide(1, 2, { scale: 4 })]
  expect(gap(middle, low.map((v, i) => (v + (high[i] ?? Number.NaN)) / 2))).toBeLessThan(4e-6)
})

test.each([0.7, 1])('rescaling by φ = %d draws each sample to the deviation of its positive prediction', async (rescale) => {
  const [away, towards] = [await values(1), await values(2)]
  const scale = 7.5
  const guided = [...towards].map((p, i) => away[i]! + scale * (p - away[i]!))
  const deviation = (row: readonly number[]): number => {
    const mean = row.reduce((a, b) => a + b) / row.length
    return Math.sqrt(row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (row.length - 1))
  }
  const want = [0, 1, 2].flatMap((b) => {
    const [row, like] = [guided.slice(8 * b, 8 * b + 8), [...towards.slice(8 * b, 8 * b + 8)]]
    return row.map((v) => rescale * v * deviation(like) / deviation(row) + (1 - rescale) * v)
  })
  const got = await guide(1, 2, { scale, rescale })
  expect(gap(got, want)).toBeLessThan(1e-5)
  if (rescale === 1) expect(Math.abs(deviation([...got.slice(0, 8)]) - deviation([...towards.slice(0, 8)]))).toBeLessThan(2e-6)
})

test('a flat prediction is left unscaled, alone, in a batch and of one element, and so is its gradient', async () => {
  await scope(async () => {
    // Guided: flat from flat ones; flat from others; not flat from a flat positive one; not flat.
    const towards = [[0.1, 0.1, 0.1], [1, 2, 3], [0.7, 0.7, 0.7], [1, 2, 4]]
    const away = [[0.3, 0.3, 0.3], [1.25, 2.5, 3.75], [1, 0, 2], [0, 1, 0]]
    const [scale, rescale] = [5, 0.75]
    const guided = [0, 1, 2, 3].map((b) => towards[b]!.map((p, i) => away[b]![i]! + scale * (p - away[b]![i]!)))
    const deviation = (row: readonly number[]): number => {
      const mean = row.reduce((a, v) => a + v) / row.length
      return Math.sqrt(row.reduce((sum, v) => sum + (v - mean) ** 2, 0))
    }
    // The second: 5·(1, 2, 3) − 4·(1¼, 2½, 3¾) is 0 everywhere.
    expect(deviation(guided[1]!)).toBe(0)
    const factors = guided.map((row, b) => (b < 2 ? 1 : rescale * deviation(towards[b]!) / deviation(row) + 1 - rescale))
    const rescaled = (p: Tensor, n: Tensor): Tensor =>
      cfg({ positive: () => p, negative: () => n, unconditional: (c: undefined) => c, scale, rescale })(p, tensor(device, [1]), undefined)
    const inputs = [tensor(device, towards.flat(), [4, 3]), tensor(device, away.flat(), [4, 3])] as const
    const out = rescaled(...inputs)
    const tensors = gradients(out.sum(), inputs)
    await evaluate(out, ...tensors)
    const slopes = await Promise.all(tensors.map(take))
    expect(gap(await out.data(), guided.flatMap((row, b) => row.map((v) => v * factors[b]!)))).toBeLessThan(2e-5)
    expect(slopes.flatMap((s) => [...s]).every(Number.isFinite)).toBe(true)
    // Unscaled, the guided value is w·e_pos + (1 − w)·e_neg.
    for (const [k, slope] of [scale, 1 - scale].entries()) expect([...slopes[k]!.slice(0, 6)]).toEqual(Array<number>(6).fill(slope))
    // The flat positive one asks for no deviation: a quarter of the guided prediction stays.
    expect(factors[2]).toBe(0.25)
    expect([...await rescaled(tensor(device, [0, 1, 2, 3], [4, 1]), tensor(device, [1, 1, 1, 1], [4, 1])).data()]).toEqual([-4, 1, 6, 11])
  })
})

test('rescaling half-precision predictions neither overflows nor changes their dtype', async ({ skip }) => {
  if (!device.target.f16) skip()
  await scope(async () => {
    // Squares of 12 add up to 11 million, and f16 ends at 65,504.
    const plain = randn(device, [1, 81920], { seed: 3, dtype: 'f16' }).mul(12)
    const towards = (): Tensor => plain.mul(1)
    const denoise = cfg({ positive: towards, negative: () => plain.mul(0.5), unconditional: (c: undefined) => c, scale: 2, rescale: 1 })
    const guided = denoise(plain, tensor(device, [1]), undefined)
    expect(guided.dtype).toBe('f16')
    // 1.5 times the prediction, drawn back to its deviation: within two roundings to f16 (2⁻¹¹) of the prediction.
    const [got, want] = [await take(guided), await take(plain)]
    expect(Math.max(...got.map((v, i) => Math.abs(v / (want[i] || 1) - 1) * (want[i] === 0 ? 0 : 1)))).toBeLessThan(3 * 2 ** -11)
  })
})

test('each branch gets its own condition and its own weights', async () => {
  await scope(async () => {
    using base = ToyDenoiser.of(device, 1, { width: 4, classes: 2, hidden: 6 })
    addAdapter(base, 'npo', lora({ rank: 2, targets: /fc/ }))
    const trained = new Map([...adapterParameters(base, 'npo')].map(([name, t]) => [name, tensor(device, new Float32Array(t.size).fill(0.3), t.shape)]))
    setAdapter(base, 'npo', trained)
    const negative = base.with(offsets({ npo: 1 }))
    const empty = (c: Tensor): Tensor => c.mul(0)
    const [x, t] = [randn(device, [2, 4], { seed: 1 }), tensor(device, [10, 900])]
    const c = tensor(device, [1, 0, 0, 1], [2, 2])
    const guided = await take(cfg({ positive: base.denoise, negative: negative.denoise, unconditional: empty, scale: 3 })(x, t, c))
    const towards = await take(base.forward(x, t, c))
    const away = await take(negative.forward(x, t, empty(c)))
    expect(gap(guided, towards.map((p, i) => 3 * p - 2 * (away[i] ?? Number.NaN)))).toBeLessThan(2e-6)
    expect(gap(away, await take(base.forward(x, t, empty(c))))).toBeGreaterThan(0.01)
  })
})

test('scales and rescaling factors out of range are refused', () => {
  const branch = (x: Tensor): Tensor => x
  const make = (scale: number, rescale?: number) => () => cfg({
    positive: branch, negative: branch, unconditional: (c: undefined) => c, scale, ...(rescale === undefined ? {} : { rescale }),
  })
  for (const scale of [-1, Number.NaN, Infinity]) expect(make(scale)).toThrow(ConfigError)
  for (const rescale of [-0.1, 1.1, Number.NaN]) expect(make(2, rescale)).toThrow(ConfigError)
  expect(() => cfg({ positive: branch, negative: branch, unconditional: (c: undefined) => c, scale: 2, guidance: 3 } as never)).toThrow(/got guidance; remove or rename it/)
  expect(() => cfg({ positive: branch, scale: 1 } as never)).toThrow(/expected negative to be a function, got undefined/)
})

test('branches whose predictions differ in shape would broadcast, and are refused', async () => {
  await scope(() => {
    const x = randn(device, [2, 3], { seed: 1 })
    const denoise = cfg({ positive: () => x, negative: () => x.slice(1, 0, 1), unconditional: (c: undefined) => c, scale: 2 })
    expect(() => denoise(x, tensor(device, [1, 2]), undefined)).toThrow(ShapeError)
  })
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
