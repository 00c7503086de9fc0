import { ConfigError, Device, evaluate, gradients, nn, scope, ShapeError, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { rng } from '@antipode/core/random'
import { noiseCoefficients, type PredictionType } from '@antipode/schedulers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drawOf, gap, schedule, take, ToyDenoiser } from '../testing/toy.ts'
import golden from './diffusion-dpo.golden.json' with { type: 'json' }
import { diffusionDpo, negate, type Objective, type PairBatch, type ReferredNetworks, swapPair } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const upload = (data: ArrayLike<number>, shape: readonly number[]): Tensor => tensor(device, data, shape, { allowNonFinite: true })
type Batch = PairBatch<Tensor>
type Toys = Readonly<Record<'model' | 'reference', ToyDenoiser>>
type Values = Readonly<Record<string, readonly number[]>>

function networkOf(values: Values, shapes: Values): ToyDenoiser {
  const at = (name: string): Tensor => upload(values[name] ?? [], shapes[name] ?? [])
  return new ToyDenoiser(new nn.Linear(at('fc1.weight'), at('fc1.bias')), new nn.Linear(at('fc2.weight'), at('fc2.bias')))
}

function goldenBatch(): Batch {
  const shape = [3, 4]
  return {
    ...drawOf(upload(golden.noise, shape), golden.timesteps, upload),
    chosen: upload(golden.chosen, shape), rejected: upload(golden.rejected, shape), condition: upload(golden.condition, [3, 3]),
  }
}

/** Loss, metrics and gradients with respect to `inputs`, as plain numbers. */
async function measure(objective: Objective<Batch, ReferredNetworks<Tensor>>, networks: Toys, batch: Batch, inputs: readonly Tensor[]) {
  const { model, reference } = networks
  const { loss, metrics } = objective.evaluate({ model: model.denoise, reference: reference.denoise }, batch)
  const grads = gradients(loss, inputs)
  await evaluate(loss, ...Object.values(metrics), ...grads)
  const numbers: Record<string, number> = { loss: await loss.item() }
  for (const [name, t] of Object.entries(metrics)) numbers[name] = await t.item()
  return { numbers, grads: await Promise.all(grads.map(take)) }
}

// A logit is a difference of four errors of about 1.5, each rounded by some 1e-7, times β/2: so much of its size is
// lost
// in f32, whatever computes it. Measured on lavapipe: losses within 6e-7 of their size, gradients within 2.3e-6 of the
// largest one. GPUs have a bound of their own: on an H100, where SiLU's exponential may be off by three units in the
// last place and
// more, a loss was within 1.7e-6.
const lossTolerance = (): number => (device.adapter.software ? 1e-6 : 2.5e-6)
const gradientTolerance = 4e-6

// Made by tools/golden/dpo.py in float64.
test.each(golden.cases)('loss, metrics and gradients equal those of torch: β $beta, halved $halved, swapped $swap', async (expected) => {
  await scope(async () => {
    const networks = { model: networkOf(golden.model, golden.shapes), reference: networkOf(golden.reference, golden.shapes) }
    const objective = diffusionDpo<Tensor>({ beta: expected.halved ? expected.beta : 2 * expected.beta })
    const batch = goldenBatch()
    const parameters = networks.model.state()
    const { numbers, grads } = await measure(expected.swap ? negate(objective) : objective, networks, batch, [...parameters.values()])
    for (const key of ['loss', 'accuracy', 'error', 'referenceError'] as const) {
      expect(Math.abs((numbers[key] ?? Number.NaN) / expected[key] - 1), key).toBeLessThan(lossTolerance())
    }
    for (const [i, name] of [...parameters.keys()].entries()) {
      const want = (expected.gradients as Values)[name] ?? []
      const largest = Math.max(...want.map(Math.abs))
      expect(gap(grads[i] ?? [], want) / largest, name).toBeLessThan(gradientTolerance)
    }
  })
})

/** The same loss from its formula, in float64 and with nothing of this library; `pull` is what multiplies D − D_ref. */
function lossByHand(parameters: Float64Array, reference: Float64Array, data: HandData, pull: number): number {
  const errors = (weights: Float64Array, clean: Float64Array): number[] => data.timesteps.map((t, b) => {
    const { width, classes, hidden } = data.sizes
    const inputs = width + 1 + classes
    const x = Array.from({ length: inputs }, (_, i) => {
      const at = b * width + i
      if (i < width) return data.alpha[b]! * clean[at]! + data.sigma[b]! * data.noise[at]!
      return i === width ? t / 1000 : Number(data.labels[b] === i - width - 1)
    })
    const bias1 = hidden * inputs
    const weight2 = bias1 + hidden
    const h = Array.from({ length: hidden }, (_, j) => {
      const a = x.reduce((sum, v, i) => sum + v * weights[j * inputs + i]!, weights[bias1 + j]!)
      return a / (1 + Math.exp(-a))
    })
    let total = 0
    for (let k = 0; k < width; k++) {
      const predicted = h.reduce((sum, v, j) => sum + v * weights[weight2 + k * hidden + j]!, weights[weight2 + width * hidden + k]!)
      total += (predicted - data.noise[b * width + k]!) ** 2
    }
    return total / width
  })
  const margins = (weights: Float64Array): number[] => {
    const worse = errors(weights, data.rejected)
    return errors(weights, data.chosen).map((m, b) => m - worse[b]!)
  }
  const frozen = margins(reference)
  return margins(parameters).reduce((sum, d, b) => sum + Math.log1p(Math.exp(pull * (d - frozen[b]!))), 0) / frozen.length
}

interface HandData {
  readonly sizes: { readonly width: number; readonly classes: number; readonly hidden: number }
  readonly timesteps: readonly number[]
  readonly alpha: ArrayLike<number>
  readonly sigma: ArrayLike<number>
  readonly noise: Float64Array
  readonly chosen: Float64Array
  readonly rejected: Float64Array
  readonly labels: readonly number[]
}

test('loss and gradients equal central differences of a float64 computation by hand, in both conventions of β', async () => {
  await scope(async () => {
    const random = rng(4)
    const sizes = { width: 5, classes: 2, hidden: 7 }
    // Rounded to f32, so that both computations start from the same numbers.
    const normals = (n: number, scale = 1): Float64Array => Float64Array.from({ length: n }, () => Math.fround(random.normal() * scale))
    const timesteps = [0, 250, 700, 999]
    const { signal: alpha, noise: sigma } = noiseCoefficients(schedule, timesteps)
    const data: HandData = {
      sizes, timesteps, alpha, sigma, noise: normals(20), chosen: normals(20), rejected: normals(20), labels: [1, 0, 0, 1],
    }
    const shapes: Values = { 'fc1.weight': [7, 8], 'fc1.bias': [7], 'fc2.weight': [5, 7], 'fc2.bias': [5] }
    const counts = Object.values(shapes).map((s) => s.reduce((a, b) => a * b))
    const own = normals(7 * 8 + 7 + 5 * 7 + 5, 0.4)
    const frozen = own.map((w) => Math.fround(w + 0.1 * random.normal()))
    const named = (flat: Float64Array): Values => {
      let start = 0
      return Object.fromEntries(Object.keys(shapes).map((name, i) => [name, [...flat.slice(start, (start += counts[i] ?? 0))]]))
    }
    const networks = { model: networkOf(named(own), shapes), reference: networkOf(named(frozen), shapes) }
    const batch: Batch = {
      ...drawOf(upload(data.noise, [4, 5]), timesteps, upload), chosen: upload(data.chosen, [4, 5]),
      rejected: upload(data.rejected, [4, 5]), condition: upload(data.labels.flatMap((l) => [1 - l, l]), [4, 2]),
    }
    const { numbers, grads } = await measure(diffusionDpo<Tensor>({ beta: 20 }), networks, batch, networks.model.parameters())
    // β = 20 here is 10 where the ½ is left out: D − D_ref is multiplied by 10.
    const pull = 10
    const loss = lossByHand(own, frozen, data, pull)
    const numeric = own.map((_, i) => {
      const at = (h: number): number => lossByHand(own.map((w, k) => (k === i ? w + h : w)), frozen, data, pull)
      return (at(1e-5) - at(-1e-5)) / 2e-5
    })
    expect(Math.abs((numbers['loss'] ?? Number.NaN) / loss - 1)).toBeLessThan(lossTolerance())
    const flat = grads.flatMap((g) => [...g])
    expect(gap(flat, numeric) / Math.max(...numeric.map(Math.abs))).toBeLessThan(gradientTolerance)
  })
})

/** A batch whose predictions are given, so that derivatives by m can be read off. */
async function byPredictions(
  objective: Objective<PairBatch<undefined>, ReferredNetworks<undefined>>,
  predictions: { own: number[]; frozen: number[] },
  predictionType: PredictionType = 'epsilon',
) {
  return scope(async () => {
    const own = upload(predictions.own, [4, 2])
    const frozen = upload(predictions.frozen, [4, 2])
    const batch: PairBatch<undefined> = {
      ...drawOf(upload([0.5, -1, 0.25, 2], [2, 2]), [100, 800], upload), predictionType, chosen: upload([1, 2, 3, 4], [2, 2]),
      rejected: upload([4, 3, 2, 1], [2, 2]), condition: undefined,
    }
    const { loss, metrics } = objective.evaluate({ model: () => own, reference: () => frozen }, batch)
    const [gradOwn, gradFrozen] = gradients(loss, [own, frozen]) as [Tensor, Tensor]
    const accuracy = metrics['accuracy'] as Tensor
    await evaluate(loss, accuracy, gradOwn, gradFrozen)
    return {
      loss: await loss.item(), accuracy: await accuracy.item(), own: [...await gradOwn.data()], frozen: [...await gradFrozen.data()],
    }
  })
}

const noise = [0.5, -1, 0.25, 2]
/** Mean squared error of each of the four rows. */
const errorsOf = (rows: readonly number[]): number[] => [0, 1, 2, 3].map((r) =>
  [0, 1].reduce((sum, k) => sum + (rows[2 * r + k]! - noise[2 * (r % 2) + k]!) ** 2, 0) / 2)
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

test('the derivative by the chosen error is κ·σ(−z)/B, by the rejected error its opposite, and by the reference zero', async () => {
  const predictions = { own: [0.1, 0.2, -0.3, 0.4, 1, -0.5, 0.75, 1.5], frozen: [0, 0.1, 0.3, 1, 0.5, -0.25, 1, 1] }
  const beta = 3
  const { own, frozen } = await byPredictions(diffusionDpo({ beta }), predictions)
  const m = errorsOf(predictions.own)
  const reference = errorsOf(predictions.frozen)
  const want = [0, 1, 2, 3].flatMap((r) => {
    const b = r % 2
    const z = -(beta / 2) * (m[b]! - m[b + 2]! - (reference[b]! - reference[b + 2]!))
    const slope = (r < 2 ? 1 : -1) * (beta / 2) * sigmoid(-z) / 2
    return [0, 1].map((k) => slope * 2 * (predictions.own[2 * r + k]! - noise[2 * b + k]!) / 2)
  })
  // Each is a handful of f32 roundings of numbers of at most 2.
  expect(gap(own, want)).toBeLessThan(5e-7)
  expect(frozen).toEqual(new Array<number>(8).fill(0))
})

/** Rows in the order rejected, chosen, in which a negated objective asks for them. */
const flip = (rows: readonly number[]): number[] => [...rows.slice(4), ...rows.slice(0, 4)]

test('a model that equals its reference has the loss ln 2, ranks half the pairs right and learns the opposite if negated', async () => {
  const rows = [0.1, 0.2, -0.3, 0.4, 1, -0.5, 0.75, 1.5]
  const objective = diffusionDpo<undefined>({ beta: 5000 })
  const plain = await byPredictions(objective, { own: rows, frozen: rows })
  const negated = await byPredictions(negate(objective), { own: flip(rows), frozen: flip(rows) })
  expect([plain.loss, negated.loss]).toEqual([Math.fround(Math.LN2), Math.fround(Math.LN2)])
  expect([plain.accuracy, negated.accuracy]).toEqual([0.5, 0.5])
  expect(plain.own.some((g) => g !== 0)).toBe(true)
  // At z = 0 the slopes κ·σ(−z)/B and −κ·σ(z)/B differ in nothing but their sign, to the bit.
  expect(flip(negated.own)).toEqual(plain.own.map((g) => -g))
})

test('accuracy counts a tie as half', async () => {
  const frozen = [0.5, -1, 0.25, 2, 0.5, -1, 0.25, 2]
  const tie = frozen
  const oneRight = [...frozen.slice(0, 4), 3, 3, ...frozen.slice(6)]
  const oneWrong = [3, 3, ...frozen.slice(2)]
  const objective = diffusionDpo<undefined>({ beta: 1 })
  const accuracies = []
  for (const own of [tie, oneRight, oneWrong]) accuracies.push((await byPredictions(objective, { own, frozen })).accuracy)
  expect(accuracies).toEqual([0.5, 0.75, 0.25])
})

test('pairs whose margin is rounding are ties, and a margin that is NaN is no pair ranked', async () => {
  const frozen = [0.1, 0.2, -0.3, 0.4, 1, -0.5, 0.75, 1.5]
  // Equal networks, one of them by kernels that round otherwise: an error in the last place or two, up for one half and
  // down for the other.
  const own = frozen.map((p, i) => p * (1 + (i < 4 ? 1 : -1) * 2 ** -23))
  const objective = diffusionDpo<undefined>({ beta: 5000 })
  const { loss, accuracy } = await byPredictions(objective, { own, frozen })
  expect(loss).not.toBe(Math.fround(Math.LN2))
  expect(accuracy).toBe(0.5)
  // Errors of 1e-4 are none of rounding.
  const moved = frozen.map((p, i) => p * (1 + (i < 4 ? 1 : -1) * 2 ** -13))
  const [m, r] = [errorsOf(moved), errorsOf(frozen)]
  const right = [0, 1].filter((b) => m[b]! - m[b + 2]! < r[b]! - r[b + 2]!)
  expect((await byPredictions(objective, { own: moved, frozen })).accuracy).toBe(right.length / 2)
  const lost = await byPredictions(objective, { own: own.map((p, i) => (i === 0 ? Number.NaN : p)), frozen })
  expect([lost.loss, lost.accuracy]).toEqual([Number.NaN, Number.NaN])
})

test('negating maps the gradients of the chosen half and the rejected half onto each other', async () => {
  const a = { own: [0.1, 0.2, -0.3, 0.4, 1, -0.5, 0.75, 1.5], frozen: [0, 0.1, 0.3, 1, 0.5, -0.25, 1, 1] }
  const objective = diffusionDpo<undefined>({ beta: 3 })
  const plain = await byPredictions(objective, a)
  const negatedTwice = await byPredictions(negate(negate(objective)), a)
  expect(negatedTwice).toEqual(plain)
  const negated = await byPredictions(negate(objective), { own: flip(a.own), frozen: flip(a.frozen) })
  const z = [0, 1].map((b) => {
    const [m, r] = [errorsOf(a.own), errorsOf(a.frozen)]
    return -(3 / 2) * (m[b]! - m[b + 2]! - (r[b]! - r[b + 2]!))
  })
  // −log σ(z) − (−log σ(−z)) = −z, and dL/dm_w turns from κ·σ(−z)/B into −κ·σ(z)/B.
  expect(Math.abs(plain.loss - negated.loss + (z[0]! + z[1]!) / 2)).toBeLessThan(5e-7)
  const want = plain.own.map((g, i) => -g * sigmoid(z[Math.floor(i / 2) % 2]!) / sigmoid(-z[Math.floor(i / 2) % 2]!))
  expect(gap(flip(negated.own), want)).toBeLessThan(5e-7)
})

test('both images and both networks see one timestep and one noise', async () => {
  await scope(async () => {
    const batch = goldenBatch()
    const seen: [x: Tensor, timesteps: Tensor, condition: Tensor][] = []
    const spy = (x: Tensor, timesteps: Tensor, condition: Tensor): Tensor => {
      seen.push([x, timesteps, condition])
      return x
    }
    diffusionDpo<Tensor>({ beta: 1 }).evaluate({ model: spy, reference: spy }, batch)
    const [own, frozen] = await Promise.all(seen.map(([x, t, c]) => Promise.all([take(x.mul(1)), take(t.mul(1)), take(c.mul(1))])))
    expect(own).toEqual(frozen)
    const [x, t, c] = own ?? []
    expect([...t ?? []]).toEqual([...golden.timesteps, ...golden.timesteps])
    expect([...c ?? []]).toEqual([...golden.condition, ...golden.condition])
    const { signal: alpha, noise: sigma } = noiseCoefficients(schedule, golden.timesteps)
    const clean = [...golden.chosen, ...golden.rejected]
    const want = clean.map((v, i) => alpha[Math.floor(i / 4) % 3]! * v + sigma[Math.floor(i / 4) % 3]! * golden.noise[i % 12]!)
    expect(gap(x ?? [], want)).toBeLessThan(5e-7)
  })
})

test('a LoRA run starts at ln 2 against the base without its adapter, and moves the adapter only', async () => {
  await scope(async () => {
    using base = ToyDenoiser.of(device, 1, { width: 4, classes: 3, hidden: 6 })
    addAdapter(base, 'npo', lora({ rank: 2, targets: /fc/ }))
    const adapter = adapterParameters(base, 'npo')
    const model = base.with({ npo: 1 })
    const { numbers, grads } = await measure(diffusionDpo<Tensor>({ beta: 2000 }), { model, reference: base }, goldenBatch(), [...adapter.values()])
    expect(numbers['loss']).toBe(Math.fround(Math.LN2))
    expect(numbers['accuracy']).toBe(0.5)
    expect(numbers['error']).toBe(numbers['referenceError'])
    for (const [i, name] of [...adapter.keys()].entries()) {
      // B is zero at first, so only B has a slope.
      expect(grads[i]?.some((g) => g !== 0), name).toBe(name.includes('lora_B'))
    }
  })
})

test.each<[PredictionType, (alpha: number, sigma: number, noise: number, clean: number) => number]>([
  ['v_prediction', (alpha, sigma, noise, clean) => alpha * noise - sigma * clean],
  ['sample', (_signal, _sigma, _noise, clean) => clean],
])('a model of %s is held to that target, which differs for the two images', async (type, targetOf) => {
  const predictions = { own: [0.1, 0.2, -0.3, 0.4, 1, -0.5, 0.75, 1.5], frozen: [0, 0.1, 0.3, 1, 0.5, -0.25, 1, 1] }
  const beta = 3
  const { loss, own } = await byPredictions(diffusionDpo({ beta }), predictions, type)
  const { signal: alpha, noise: sigma } = noiseCoefficients(schedule, [100, 800])
  const targets = [1, 2, 3, 4, 4, 3, 2, 1].map((clean, i) => targetOf(alpha[(i >> 1) % 2]!, sigma[(i >> 1) % 2]!, noise[i % 4]!, clean))
  const squares = (rows: readonly number[]): number[] => [0, 1, 2, 3].map((r) => [0, 1].reduce((sum, k) => sum + (rows[2 * r + k]! - targets[2 * r + k]!) ** 2, 0) / 2)
  const [m, reference] = [squares(predictions.own), squares(predictions.frozen)]
  const z = [0, 1].map((b) => -(beta / 2) * (m[b]! - m[b + 2]! - (reference[b]! - reference[b + 2]!)))
  // Errors of up to 16 in f32, times β/2.
  expect(Math.abs(loss - z.reduce((sum, v) => sum + Math.log1p(Math.exp(-v)), 0) / 2)).toBeLessThan(1e-5)
  const want = targets.map((target, i) => (i < 4 ? 1 : -1) * (beta / 2) * sigmoid(-z[(i >> 1) % 2]!) / 2 * (predictions.own[i]! - target))
  expect(gap(own, want)).toBeLessThan(1e-5)
})

test('half-precision batches have the loss and gradient of float64: errors, margins and losses are computed in f32', async ({ skip }) => {
  if (!device.target.f16) skip()
  await scope(async () => {
    const [n, beta] = [4096, 5000]
    const random = rng(9)
    // Rounded to f16, so that both computations start from the same numbers.
    const half = async (values: ArrayLike<number>): Promise<{ values: number[]; t: Tensor }> => {
      const t = tensor(device, values, [values.length / n, n], { dtype: 'f16' })
      return { values: [...await t.data()], t }
    }
    const normals = (count: number): number[] => Array.from({ length: count }, () => random.normal())
    const noise = await half(normals(n))
    const frozen = await half([...noise.values, ...noise.values].map((v) => v + 0.5 * random.normal()))
    const own = await half(frozen.values.map((v, i) => v + (i < n ? 0.01 : -0.005) * random.normal()))
    const clean = await half(normals(n))
    const { alpha, sigma, ...draw } = drawOf(noise.t, [500], upload)
    const batch: PairBatch<undefined> = { ...draw, alpha, sigma, chosen: clean.t, rejected: clean.t.mul(-1), condition: undefined }
    let seen: Tensor | undefined
    const model = (x: Tensor): Tensor => {
      seen = x
      return own.t
    }
    const { loss } = diffusionDpo<undefined>({ beta }).evaluate({ model, reference: () => frozen.t }, batch)
    const [slope] = gradients(loss, [own.t]) as [Tensor]
    expect([loss.dtype, seen?.dtype, slope.dtype]).toEqual(['f32', 'f16', 'f16'])
    await evaluate(loss, slope)
    const m = ({ values }: { values: number[] }, half: number): number =>
      noise.values.reduce((sum, e, i) => sum + (values[half * n + i]! - e) ** 2, 0) / n
    const z = -(beta / 2) * (m(own, 0) - m(own, 1) - (m(frozen, 0) - m(frozen, 1)))
    const exact = Math.log1p(Math.exp(-z))
    // f32 rounds errors of ¼ by 3e-8, times β/2.
    expect(Math.abs(await loss.item() - exact), `loss ${exact}`).toBeLessThan(2e-4)
    const want = own.values.map((p, i) => (i < n ? 1 : -1) * (beta / 2) * sigmoid(-z) * 2 * (p - noise.values[i % n]!) / n)
    // Rounded to f16 once, to either neighbour: 2⁻¹⁰ of each. Subnormal ones are 6e-8 apart.
    const got = await slope.data()
    want.forEach((g, i) => { expect(Math.abs(got[i]! - g)).toBeLessThan(1.01 * 2 ** -10 * Math.abs(g) + 6e-8) })
  })
})

test('a draw that does not say what the model predicts is refused, and so are predictions of another shape', async () => {
  await scope(() => {
    const { predictionType, ...rest } = goldenBatch()
    expect(predictionType).toBe('epsilon')
    const same = (x: Tensor): Tensor => x
    const objective = diffusionDpo<Tensor>({ beta: 1 })
    for (const type of [undefined, 'velocity']) {
      const batch = { ...rest, predictionType: type } as Batch
      expect(() => objective.evaluate({ model: same, reference: same }, batch)).toThrow(ConfigError)
      expect(() => objective.evaluate({ model: same, reference: same }, batch)).toThrow(/predictionType to be one of 'epsilon', .*, got (undefined|velocity)/)
    }
    const wide = (x: Tensor): Tensor => x.slice(1, 0, 1)
    expect(() => objective.evaluate({ model: wide, reference: same }, goldenBatch())).toThrow(/expected predictions of the samples' shape, got \[6,1\] for \[6,4\]/)
  })
})

test('bad strengths and pairs of different shapes are refused', async () => {
  for (const beta of [0, -1, Number.NaN, Infinity]) expect(() => diffusionDpo({ beta })).toThrow(ConfigError)
  expect(() => diffusionDpo({ beta: 1, betas: 2 } as never)).toThrow(/expected options among beta, factor, labelSmoothing, got betas/)
  await scope(() => {
    const batch = goldenBatch()
    const networks = { model: (x: Tensor) => x, reference: (x: Tensor) => x }
    // Both would broadcast silently.
    for (const shape of [[3, 1], [1, 4]]) {
      const wrong = { ...batch, rejected: upload(new Float32Array(shape[0] === 1 ? 4 : 3), shape) }
      expect(() => diffusionDpo<Tensor>({ beta: 1 }).evaluate(networks, wrong)).toThrow(ShapeError)
      expect(() => diffusionDpo<Tensor>({ beta: 1 }).evaluate(networks, swapPair(wrong))).toThrow(ShapeError)
    }
  })
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
