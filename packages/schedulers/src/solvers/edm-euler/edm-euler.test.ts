import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder, type Predict } from '../../testing/index.ts'
import { edmEuler } from './edm-euler.ts'

const sigmaData = 0.5

/** The model's own output for a known x₀: (x₀ − c_skip·x)/c_out. */
const output: Predict = (clean, x, { noise: sigma }) => {
  const size = Math.hypot(sigma, sigmaData)
  return ((clean - (sigmaData / size) ** 2 * x) * size) / (sigma * sigmaData)
}

test('EDM Euler is of first order on either curve', () => {
  for (const sigmaSchedule of ['karras', 'exponential'] as const) {
    expect(convergenceOrder(edmEuler({ sigmaSchedule }), 50, output)).toBeCloseTo(1, 1)
  }
})

test('levels run from sigmaMax to sigmaMin, and the model is told a quarter of their logarithm', () => {
  for (const sigmaSchedule of ['karras', 'exponential'] as const) {
    const { sigmas, timesteps } = edmEuler({ sigmaMin: 0.01, sigmaMax: 10, sigmaSchedule }).timesteps(7)
    expect([sigmas![0]! / 10, sigmas![6]! / 0.01]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)])
    expect(sigmas![7]).toBe(0)
    timesteps.forEach((told, i) => {
      expect(told).toBeCloseTo(0.25 * Math.log(sigmas![i]!), 6)
    })
  }
  const middle = edmEuler({ sigmaMin: 0.01, sigmaMax: 1, sigmaSchedule: 'exponential' }).timesteps(3).sigmas![1]
  expect(middle).toBeCloseTo(0.1, 6)
  expect(edmEuler({ sigmaMin: 0.01, sigmaMax: 1, rho: 1 }).timesteps(3).sigmas![1]).toBeCloseTo(0.505, 6)
  expect(edmEuler({ finalSigmasType: 'sigma_min' }).timesteps(3).sigmas![3]).toBe(Math.fround(0.002))
})

test('levels of the caller are taken as they are', () => {
  const plan = edmEuler().timesteps({ sigmas: [5, 0.5] })
  expect(plan.sigmas).toEqual([5, 0.5, 0])
  expect(edmEuler().initNoiseSigma(plan)).toBeCloseTo(Math.hypot(5, 1), 12)
  expect(() => edmEuler().timesteps({ timesteps: [1, 0] })).toThrow(/got 'timesteps'/)
})

test('levels that do not fall are refused', () => {
  expect(() => edmEuler({ sigmaMin: 1, sigmaMax: 0.1 })).toThrow(/expected sigmaMin below sigmaMax, got 1 and 0.1/)
  expect(() => edmEuler({ predictionType: 'sample' as 'epsilon' })).toThrow(/predictionType to be one of/)
})

test('what a model learns to predict gives x₀ back', () => {
  const [x0, noise] = [Float32Array.of(0.4, -1), Float32Array.of(-0.7, 0.2)]
  for (const predictionType of ['epsilon', 'v_prediction'] as const) {
    const scheduler = edmEuler({ predictionType })
    for (const startAt of [0, 5, 9]) {
      const state = scheduler.begin<Float32Array>(10, startAt)
      const told = state.plan.timesteps[startAt]!
      const target = scheduler.velocity(float32Linear, x0, noise, told)
      const sample = scheduler.addNoise(float32Linear, x0, noise, told)
      const found = scheduler.step(float32Linear, state, target, sample).x0
      found.forEach((one, i) => {
        // At σ = 80 the sample holds x₀ in its last bits.
        expect(one).toBeCloseTo(x0[i]!, startAt === 0 ? 4 : 5)
      })
    }
  }
})

test('churn raises the level by fresh noise before the step', () => {
  const zero = { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }
  const [x, noise] = [Float32Array.of(2), Float32Array.of(-1)]
  const through = (options: object, startAt: number): { moved: number; sigma: number; next: number } => {
    const scheduler = edmEuler(options)
    const state = scheduler.begin<Float32Array>(10, startAt)
    const { sample } = scheduler.step(float32Linear, state, x, x, noise, zero)
    return { moved: sample[0]!, sigma: state.plan.sigmas![startAt]!, next: state.plan.sigmas![startAt + 1]! }
  }
  // γ = 2/10, and √2 − 1 at most.
  for (const [sChurn, gamma] of [[2, 0.2], [100, Math.SQRT2 - 1]] as const) {
    const { moved, sigma, next } = through({ sChurn, sNoise: 1.1 }, 4)
    const higher = sigma * (1 + gamma)
    expect(moved / ((next / higher) * (2 - 1.1 * Math.sqrt(higher ** 2 - sigma ** 2)))).toBeCloseTo(1, 5)
  }
  const plain = through({}, 4)
  expect(plain.moved / ((2 * plain.next) / plain.sigma)).toBeCloseTo(1, 5)
})

test('only levels between sTmin and sTmax are churned', () => {
  const scheduler = edmEuler({ sChurn: 40, sTmin: 0.05, sTmax: 50 })
  const plan = scheduler.timesteps(18)
  plan.timesteps.forEach((_, step) => {
    const sigma = plan.sigmas![step]!
    expect(scheduler.needsNoise({ ...scheduler.begin(plan), step })).toBe(sigma >= 0.05 && sigma <= 50)
  })
  expect(edmEuler({ sTmax: 50 }).needsNoise(edmEuler().begin(18, 9))).toBe(false)
})
