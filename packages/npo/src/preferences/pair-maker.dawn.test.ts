import { ConfigError, constant, Device, NumericError, ShapeError, type Tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, removeAdapter } from '@antipode/core/nn'
import { adamw } from '@antipode/core/optim'
import { rng } from '@antipode/core/random'
import { flowMatchEuler, noiseCoefficients, noiseSchedule } from '@antipode/schedulers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { denoising, diffusionDpo, mapo, type PairBatch, type SampleBatch } from '../objectives/index.ts'
import { drawNoise, flowProcess } from '../process/index.ts'
import { take, ToyDenoiser } from '../testing/toy.ts'
import { train } from '../training/index.ts'
import { invertedPairs, type PairMaker, pairMaker, type PairMakerOptions } from './index.ts'
import { inversionSteps } from './inverted-pairs.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const process = flowProcess()
const scheduler = flowMatchEuler()
const condition = (count: number): Tensor => constant(device, [1, 0], [1, 2]).expand([count, 2])
/** Points to the right are better. */
const reward = (samples: Tensor): Tensor => samples.slice(1, 0, 1).squeeze(1)

/** Maker of pairs of points that a model samples. */
function pairsOf(model: ToyDenoiser, changes: Partial<PairMakerOptions<Tensor>> = {}): PairMaker<Tensor> {
  return pairMaker<Tensor>(device, {
    model: model.denoise, scheduler, steps: 4, shape: [16, 2], condition: () => condition(16), reward,
    temperature: 0.05, process, seed: 2, ...changes,
  })
}

/** A flow model of points around (±1, 0), which denoising taught it. */
async function flowOfPoints(): Promise<ToyDenoiser> {
  const model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 32 })
  const losses: number[] = []
  using optimizer = adamw({ lr: 0.02 })
  for await (const { loss } of train<SampleBatch<Tensor>>({
    parameters: model.state(), optimizer, steps: 60, compile: true,
    batch: (step) => {
      const random = rng(1, { stream: step })
      const side = (): number => (random.uniform() < 0.5 ? -1 : 1)
      const points = Array.from({ length: 64 }, (_, i) => 0.1 * random.normal() + (i % 2 === 0 ? side() : 0))
      const draw = drawNoise(device, process, [32, 2], { seed: 1, step })
      return { ...draw, samples: constant(device, points, [32, 2]), condition: condition(32) }
    },
    loss: (batch) => denoising<Tensor>().evaluate({ model: model.denoise }, batch),
  })) losses.push(loss)
  const mean = (some: readonly number[]): number => some.reduce((a, b) => a + b) / some.length
  // ε − x₀ has a mean square of about 1.5; of what is left no model knows more than x tells.
  expect(mean(losses.slice(-20))).toBeLessThan(0.9 * mean(losses.slice(0, 5)))
  return model
}

/** Mean reward of 64 points. */
async function rewardOf(model: ToyDenoiser): Promise<number> {
  const { batch, release } = pairsOf(model, { shape: [64, 2], condition: () => condition(64), seed: 77 })
  const pairs = await batch(0)
  const points = [...await pairs.chosen.data(), ...await pairs.rejected.data()]
  release(pairs)
  return points.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b) / 128
}

test('a flow model that samples its own pairs moves to what is rewarded, with a reference and without', async () => {
  using model = await flowOfPoints()
  const before = await rewardOf(model)
  expect(Math.abs(before)).toBeLessThan(0.4)
  for (const name of ['dpo', 'mapo']) {
    addAdapter(model, name, lora({ rank: 2, targets: /fc/ }))
    const tuned = model.with({ [name]: 1 })
    const networks = { model: tuned.denoise, reference: model.denoise }
    const dpo = diffusionDpo<Tensor>({ beta: 10 })
    const margins = mapo<Tensor>()
    using optimizer = adamw({ lr: 0.02 })
    for await (const { step, metrics } of train<PairBatch<Tensor>>({
      parameters: adapterParameters(model, name), optimizer, steps: 12, clipNorm: 1, compile: true, ...pairsOf(tuned),
      loss: (pairs) => (name === 'dpo' ? dpo : margins).evaluate(networks, pairs),
    })) if (step === 0 && name === 'dpo') expect(metrics['accuracy']).toBe(0.5)
    expect(await rewardOf(tuned), name).toBeGreaterThan(before + 0.2)
    removeAdapter(model, name)
  }
})

test('pairs are two samples of one run, the better one first, by step, seed and weights alone', async () => {
  using model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 8 })
  const { batch, release } = pairsOf(model, { temperature: 1e-6 })
  const read = async (made: PairBatch<Tensor>): Promise<Float32Array[]> => {
    const tensors = [made.chosen, made.rejected, made.timesteps, made.noise]
    const values = await Promise.all(tensors.map((t) => take(t.mul(1))))
    release(made)
    return values
  }
  const first = await read(await batch(3))
  expect(await read(await batch(3))).toEqual(first)
  expect(await read(await batch(4))).not.toEqual(first)
  const [chosen, rejected] = first as [Float32Array, Float32Array]
  for (let i = 0; i < 16; i++) expect(chosen[2 * i]).toBeGreaterThanOrEqual(rejected[2 * i] ?? Number.NaN)
  expect((await batch(5).then((made) => { release(made); return made })).predictionType).toBe('flow_prediction')
})

test('inverted pairs are led backwards row by row, up to below their own timesteps, by a step and a seed alone', async () => {
  const schedule = noiseSchedule({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 })
  const told = [450, 150, 1]
  const { signal: alphas, noise: sigmas } = noiseCoefficients(schedule, told)
  const column = (values: ArrayLike<number>): Tensor => constant(device, values, [3, 1])
  const pairs = (): PairBatch<undefined> => ({
    predictionType: 'epsilon', condition: undefined, timesteps: constant(device, told), alpha: column(alphas),
    sigma: column(sigmas), noise: column([9, 9, 9]), chosen: column([1.5, 0.5, 1]), rejected: column([-1, 0.25, 2]),
  })
  const model = (x: Tensor, t: Tensor): Tensor => x.mul(0.7).tanh().mul(t.div(1000).reshape([-1, 1]))
  const run = async (options: { eta?: number; step?: number }): Promise<number[]> => {
    const { noise, rejectedNoise } = await invertedPairs(model, schedule, pairs(), { seed: 1, step: 0, ...options })
    return [...await take(noise), ...await take(rejectedNoise)]
  }
  const byHand = [1.5, 0.5, 1, -1, 0.25, 2].map((clean, i) => {
    let x = clean
    for (const { timestep, from, to } of inversionSteps(schedule, 10).filter((s) => s.timestep < told[i % 3]!)) {
      const epsilon = Math.tanh(0.7 * x) * timestep / 1000
      x = to.signal * (x - from.noise * epsilon) / from.signal + to.noise * epsilon
    }
    return (x - alphas[i % 3]! * clean) / sigmas[i % 3]!
  })
  const still = await run({ eta: 0 })
  for (const [i, e] of byHand.entries()) expect(still[i]).toBeCloseTo(e, 4)
  const moved = await run({})
  expect(await run({})).toEqual(moved)
  expect(await run({ step: 1 })).not.toEqual(moved)
  expect(Math.max(...moved.map((e, i) => Math.abs(e - byHand[i]!)))).toBeGreaterThan(1e-3)
  for (const wrong of [{ steps: 0 }, { eta: -1 }, { seed: 0.5 }, { step: -1 }, { strength: 1 }]) {
    await expect(invertedPairs(model, schedule, pairs(), { seed: 1, step: 0, ...wrong })).rejects.toThrow(ConfigError)
  }
})

test('rewards that are no finite number a sample, and options out of range, are refused', async () => {
  using model = ToyDenoiser.of(device, 1, { width: 2, classes: 2, hidden: 8 })
  await expect(pairsOf(model, { reward: (x) => x }).batch(0)).rejects.toThrow(ShapeError)
  await expect(pairsOf(model, { reward: (x) => reward(x).mul(Number.NaN) }).batch(0)).rejects.toThrow(NumericError)
  for (const changes of [{ temperature: 0 }, { seed: -1 }, { shape: [0, 2] }, { reward: 1 }, { rewards: reward }]) {
    expect(() => pairsOf(model, changes as never)).toThrow(ConfigError)
  }
})
