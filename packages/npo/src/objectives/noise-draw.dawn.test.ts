import { ConfigError, constant, Device, evaluate, gradients, scope, ShapeError, type Tensor, tensor } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import {
  ddim, dpmSolverMultistep, euler, flowMatchEuler, fromConfig, lcm, noiseCoefficients, noiseSchedule, type PredictionType, type Schedule, uniPc, videoCrafterDdim,
} from '@antipode/schedulers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gap, schedule, take } from '../testing/toy.ts'
import { denoising, drawNoise, type NoiseDraw } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const values = async ({ timesteps, signal, sigma, noise }: NoiseDraw): Promise<Record<string, number[]>> => ({
  timesteps: [...await take(timesteps.mul(1))], signal: [...await take(signal.mul(1))],
  sigma: [...await take(sigma.mul(1))], noise: [...await take(noise.mul(1))],
})

test('a draw depends on seed and step and on nothing else', async () => {
  const at = (seed: number, step: number): Promise<Record<string, number[]>> => values(drawNoise(device, schedule, [4, 3], { seed, step }))
  const first = await at(1, 7)
  await at(1, 8)
  expect(await at(1, 7)).toEqual(first)
  for (const other of [await at(1, 8), await at(2, 7)]) {
    expect(other['timesteps']).not.toEqual(first['timesteps'])
    expect(other['noise']).not.toEqual(first['noise'])
  }
})

test('coefficients are those of the timesteps, and noise is that of the host generator', async () => {
  const draw = drawNoise(device, schedule, [5, 2, 1, 3], { seed: 3, step: 2 })
  expect([draw.timesteps.shape, draw.signal.shape, draw.sigma.shape, draw.noise.shape]).toEqual([[5], [5, 1, 1, 1], [5, 1, 1, 1], [5, 2, 1, 3]])
  const { timesteps = [], signal = [], sigma = [], noise = [] } = await values(draw)
  const want = noiseCoefficients(schedule, timesteps)
  expect([signal, sigma]).toEqual([[...want.signal], [...want.noise]])
  // The GPU's sine and logarithm differ from the host's in the last bits.
  expect(gap(noise, philoxNormal(30, { seed: 3, stream: 2 }))).toBeLessThan(2e-6)
})

test('timesteps are uniform over the schedule', async () => {
  const all: number[] = []
  for (let step = 0; step < 10; step++) all.push(...await take(drawNoise(device, schedule, [1000, 1], { seed: 5, step }).timesteps.mul(1)))
  expect(all.every((t) => Number.isInteger(t) && t >= 0 && t < 1000)).toBe(true)
  const tenths = new Array<number>(10).fill(0)
  for (const t of all) tenths[Math.floor(t / 100)]! += 1
  // 1,000 expected in each, with a deviation of 30: five deviations.
  for (const n of tenths) expect(Math.abs(n - 1000)).toBeLessThan(150)
})

test.each<[PredictionType, (b: number, noise: number, clean: number) => number]>([
  ['epsilon', (_b, noise) => noise],
  ['v_prediction', (b, noise, clean) => [0.5, 0.25][b]! * noise - [2, 4][b]! * clean],
  ['sample', (_b, _noise, clean) => clean],
])('the denoising loss of a model of %s is the mean squared error of that, and its slope that of the mean', async (predictionType, targetOf) => {
  await scope(async () => {
    const [noise, samples, prediction] = [[1, -2, 3, 0.5], [4, 3, 2, 1], [0, -1, 2, 2.5]].map((v) => tensor(device, v, [2, 2])) as [Tensor, Tensor, Tensor]
    const batch = {
      predictionType, noise, samples, condition: undefined, timesteps: constant(device, [1, 2]),
      signal: constant(device, [0.5, 0.25], [2, 1]), sigma: constant(device, [2, 4], [2, 1]),
    }
    let seen: Tensor | undefined
    const model = (x: Tensor): Tensor => {
      seen = x.mul(1)
      return prediction
    }
    const { loss, metrics } = denoising<undefined>().evaluate({ model }, batch)
    const [slope] = gradients(loss, [prediction]) as [Tensor]
    await evaluate(loss, metrics['error'] as Tensor, slope)
    const errors = [0, -1, 2, 2.5].map((p, i) => p - targetOf(i >> 1, [1, -2, 3, 0.5][i]!, [4, 3, 2, 1][i]!))
    const want = errors.reduce((sum, e) => sum + e * e, 0) / 4
    expect([await loss.item(), await metrics['error']?.item()]).toEqual([want, want])
    expect([...await slope.data()]).toEqual(errors.map((e) => e / 2))
    expect([...await (seen as Tensor).data()]).toEqual([4, -2.5, 12.5, 2.25])
    const wide = { ...batch, samples: tensor(device, [1, 2], [2, 1]) }
    expect(() => denoising<undefined>().evaluate({ model }, wide)).toThrow(ShapeError)
    expect(() => denoising<undefined>().evaluate({ model: (x) => x.slice(1, 0, 1) }, batch)).toThrow(/expected predictions of the samples' shape/)
    expect(() => denoising<undefined>().evaluate({ model }, { ...batch, samples: tensor(device, [], [0, 2]), noise: tensor(device, [], [0, 2]) })).toThrow(ShapeError)
  })
})

test('a draw says what the model of its scheduler predicts, and processes that its tables do not tell are refused by name', () => {
  const draw = (from: unknown): string => drawNoise(device, from as Schedule, [2, 3], { seed: 0, step: 0 }).predictionType
  for (const predictionType of ['epsilon', 'v_prediction', 'sample'] as const) {
    expect(draw(noiseSchedule({ predictionType }))).toBe(predictionType)
    for (const solver of [ddim, euler, dpmSolverMultistep, lcm]) expect(draw(solver({ predictionType }).schedule)).toBe(predictionType)
  }
  expect(draw(fromConfig({ _class_name: 'DDIMScheduler', prediction_type: 'v_prediction' }).schedule)).toBe('v_prediction')
  expect(draw(videoCrafterDdim({ baseScale: 1 }).schedule)).toBe('epsilon')
  const refused: [unknown, RegExp][] = [
    [flowMatchEuler().schedule, /got null; draw noise and regress on the target of such a model/],
    [uniPc({ useFlowSigmas: true, predictionType: 'flow_prediction' }).schedule, /got flow_prediction of a flow, x = \(1 − σ\)/],
    [uniPc({ useFlowSigmas: true }).schedule, /got epsilon of a flow/],
    [videoCrafterDdim().schedule, /got epsilon of x = √ᾱ·s·x₀/],
    [{ trainSteps: 1000 }, /got undefined/],
  ]
  for (const [from, message] of refused) {
    expect(() => draw(from)).toThrow(ConfigError)
    expect(() => draw(from)).toThrow(message)
  }
})

test('seeds, steps, options and batches that mean nothing are refused', () => {
  const draw = (shape: readonly number[], options: object) => () => drawNoise(device, schedule, shape, { seed: 0, step: 0, ...options })
  for (const options of [{ seed: -1 }, { seed: 0.5 }, { step: Number.NaN }, { step: 2 ** 32 }, { stream: 1 }]) expect(draw([2, 2], options)).toThrow(ConfigError)
  for (const shape of [[], [0, 2], [1.5, 2], [1025, 1]]) expect(draw(shape, {})).toThrow(ShapeError)
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
