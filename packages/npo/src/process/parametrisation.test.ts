import { ConfigError, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import { convertPrediction, float32Linear, type ModelPrediction } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import golden from '../objectives/testing/objectives.golden.json' with { type: 'json' }
import { noised, type NoiseDraw, predictedClean, predictedNoise, targetOf } from './index.ts'

const host = new FakeHost()
const leaves = new Map<Tensor, readonly number[]>()
const leaf = (values: readonly number[], shape: readonly number[]): Tensor => {
  const t = tensor(host, values, shape)
  leaves.set(t, values)
  return t
}
const read = (t: Tensor): Float64Array => interpret([t], leaves)[0] ?? new Float64Array()

const clean = [0.5, -1.25, 2, 0.75, -0.5, 1]
const noise = [1.5, 0.25, -0.75, -2, 0.5, 1]
const angles = [0.2, 0.8, 1.4]
const types: readonly ModelPrediction[] = ['epsilon', 'v_prediction', 'sample', 'flow_prediction']

function drawOf(predictionType: ModelPrediction): NoiseDraw {
  const flow = predictionType === 'flow_prediction'
  const sigmas = flow ? [0.1, 0.5, 0.9] : angles.map(Math.sin)
  const alphas = flow ? sigmas.map((s) => 1 - s) : angles.map(Math.cos)
  const column = [3, 1]
  return {
    predictionType, timesteps: leaf([1, 2, 3], [3]), noise: leaf(noise, [3, 2]),
    alpha: leaf(alphas, column), sigma: leaf(sigmas, column),
  }
}

describe.each(types)('a model of %s', (type) => {
  test('that is right implies the clean sample and the noise that its own sample is made of', () => {
    const draw = drawOf(type)
    const x0 = leaf(clean, [3, 2])
    const [x, target] = [noised(x0, draw), targetOf('test', x0, draw)]
    expect(largestGap(Float64Array.from(clean), read(predictedClean(target, x, draw)))).toBeLessThan(1e-14)
    expect(largestGap(Float64Array.from(noise), read(predictedNoise(target, x, draw)))).toBeLessThan(1e-14)
  })

  test('implies what schedulers make of the same prediction', () => {
    const draw = drawOf(type)
    const [alphas, sigmas] = [read(draw.alpha), read(draw.sigma)]
    const [prediction, sample] = [[0.3, -0.6, 1.2, 0.9, -1.5, 0.1], [0.25, 0.5, -1, 2, 1.75, -0.5]]
    for (const [to, implied] of [['sample', predictedClean], ['epsilon', predictedNoise]] as const) {
      const got = read(implied(leaf(prediction, [3, 2]), leaf(sample, [3, 2]), draw))
      const want = [0, 1, 2].flatMap((b) => {
        const row = (all: readonly number[]): Float32Array => Float32Array.from(all.slice(2 * b, 2 * b + 2))
        const level = { signal: alphas[b]!, noise: sigmas[b]! }
        return [...convertPrediction(float32Linear, { from: type, to }, level, row(prediction), row(sample))]
      })
      // Schedulers round to f32 once, values of up to 10.
      expect(largestGap(Float64Array.from(want), got)).toBeLessThan(1e-5)
    }
  })
})

test('a velocity is that of the released scripts, and so are the sample and the clean estimate of a flow', () => {
  const shape = [3, 2, 4, 4]
  const { pair_v: v, nft } = golden.fixtures
  const column = (values: readonly number[]): Tensor => leaf(values, [3, 1, 1, 1])
  const velocity: NoiseDraw = {
    predictionType: 'v_prediction', timesteps: leaf(v.timesteps, [3]), noise: leaf(v.noise, shape),
    alpha: column(v.alphas_cumprod.map(Math.sqrt)), sigma: column(v.alphas_cumprod.map((a) => Math.sqrt(1 - a))),
  }
  const target = read(targetOf('test', leaf(v.x0_w, shape), velocity))
  expect(largestGap(Float64Array.from(v.target_w), target)).toBeLessThan(1e-9)
  const flow: NoiseDraw = {
    predictionType: 'flow_prediction', timesteps: leaf(nft.t, [3]), noise: leaf(nft.noise, shape),
    alpha: column(nft.t.map((t) => 1 - t)), sigma: column(nft.t),
  }
  const x = noised(leaf(nft.x0, shape), flow)
  expect(largestGap(Float64Array.from(nft.x_t), read(x))).toBeLessThan(1e-9)
  const implied = nft.x_t.map((value, i) => value - nft.t[Math.floor(i / 32)]! * nft.v[i]!)
  const got = read(predictedClean(leaf(nft.v, shape), leaf(nft.x_t, shape), flow))
  expect(largestGap(Float64Array.from(implied), got)).toBeLessThan(1e-9)
})

test('half-precision samples are noised in f32 and rounded once, and targets stay f32', () => {
  const draw = drawOf('v_prediction')
  const x0 = leaf(clean, [3, 2]).to('f16')
  const made = [noised(x0, draw), targetOf('test', x0, draw), predictedClean(x0, x0, draw)]
  expect(made.map((t) => t.dtype)).toEqual(['f16', 'f32', 'f32'])
})

test('what nobody predicts is refused by name', () => {
  for (const predictionType of [undefined, 'velocity', 'toString']) {
    const draw = { ...drawOf('epsilon'), predictionType } as NoiseDraw
    const x = leaf(clean, [3, 2])
    expect(() => targetOf('denoising', x, draw)).toThrow(ConfigError)
    const known = "'epsilon', 'v_prediction', 'sample', 'flow_prediction'"
    expect(() => targetOf('denoising', x, draw)).toThrow(
      `denoising: expected predictionType to be one of ${known}, got ${predictionType};`,
    )
    expect(() => predictedClean(x, x, draw)).toThrow(ConfigError)
  }
})
