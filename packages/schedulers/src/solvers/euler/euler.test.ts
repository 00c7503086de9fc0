import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { euler } from './euler.ts'

test('Euler is of first order', () => {
  const scheduler = euler({ predictionType: 'sample', useExponentialSigmas: true, betaSchedule: 'scaled_linear' })
  expect(convergenceOrder(scheduler, 50)).toBeCloseTo(1, 1)
})

test('sigmas of the caller that lie on the table are told as their timesteps', () => {
  const plan = euler().timesteps(6)
  const again = euler().timesteps({ sigmas: plan.sigmas!.slice(0, -1) })
  expect(again.sigmas).toEqual(plan.sigmas)
  again.timesteps.forEach((timestep, i) => {
    expect(timestep).toBeCloseTo(plan.timesteps[i]!, 2)
  })
})

test('a churned step of ε goes from the level and the sample after the churn', () => {
  const scheduler = euler({ sChurn: 3, sNoise: 1.05 })
  const state = scheduler.begin<Float32Array>(20, 12)
  const [x, epsilon, noise] = [1.5, -0.4, 0.8]
  const [sigma, next] = [state.plan.sigmas![12]!, state.plan.sigmas![13]!]
  const higher = sigma * (1 + 3 / 20)
  const churned = x + noise * 1.05 * Math.sqrt(higher ** 2 - sigma ** 2)
  const step = scheduler.step(float32Linear, state, Float32Array.of(epsilon), Float32Array.of(x), Float32Array.of(noise))
  expect(scheduler.needsNoise(state)).toBe(true)
  expect(step.x0[0]).toBeCloseTo(churned - higher * epsilon, 5)
  expect(step.sample[0]).toBeCloseTo(churned + (next - higher) * epsilon, 5)
})

test('a churned step of v reads it at the level that the model was called at', () => {
  const scheduler = euler({ sChurn: 8, predictionType: 'v_prediction' })
  const state = scheduler.begin<Float32Array>(20, 12)
  const [v, x, noise] = [Float32Array.of(-0.4), Float32Array.of(1.5), Float32Array.of(0.8)]
  const sigma = state.plan.sigmas![12]!
  const churned = 1.5 + 0.8 * sigma * Math.sqrt(1.4 ** 2 - 1)
  const { x0 } = scheduler.step(float32Linear, state, v, x, noise)
  expect(x0[0]).toBeCloseTo((0.4 * sigma) / Math.hypot(sigma, 1) + churned / (sigma ** 2 + 1), 5)
})

test('only levels between sTmin and sTmax are churned, and none by default', () => {
  const scheduler = euler({ sChurn: 10, sTmin: 0.5, sTmax: 5 })
  const plan = scheduler.timesteps(20)
  const draws = plan.timesteps.map((_, step) => scheduler.needsNoise({ ...scheduler.begin(plan), step }))
  expect(draws).toEqual(plan.sigmas!.slice(0, -1).map((sigma) => sigma >= 0.5 && sigma <= 5))
  expect(draws.filter(Boolean).length).toBeGreaterThan(3)
  expect(euler().needsNoise(euler().begin(plan, 10))).toBe(false)
})

test('log-linear levels run evenly in ln σ over the table and end at its first', () => {
  const scheduler = euler({ interpolationType: 'log_linear' })
  const [plan, linear] = [scheduler.timesteps(8), euler().timesteps(8)]
  expect(plan.timesteps).toEqual(linear.timesteps)
  const { alphasCumprod } = scheduler.schedule
  const [low, high] = [alphasCumprod[0]!, alphasCumprod.at(-1)!].map((alphaBar) => Math.sqrt((1 - alphaBar) / alphaBar))
  plan.sigmas!.forEach((sigma, i) => {
    // 1 − ᾱ of the first timestep has three digits of float32.
    expect(sigma / (high! * (low! / high!) ** (i / 8))).toBeCloseTo(1, 3)
  })
  expect(plan.sigmas).toHaveLength(9)
})

test('a curve over log-linear levels spans the table, whatever the spacing', () => {
  const options = { timestepSpacing: 'leading', useKarrasSigmas: true } as const
  const [spanning, spaced] = (['log_linear', 'linear'] as const).map((interpolationType) =>
    euler({ ...options, interpolationType }).timesteps(8),
  )
  const full = euler().timesteps(1000).sigmas!
  expect(spanning!.sigmas![0]! / full[0]!).toBeCloseTo(1, 6)
  expect(spanning!.sigmas![7]! / full[999]!).toBeCloseTo(1, 6)
  expect(spanning!.sigmas![8]).toBe(0)
  expect(spaced!.sigmas![0]).toBeLessThan(0.5 * full[0]!)
})

test('a model told continuous levels takes levels of its own, also beyond the table', () => {
  const sigmas = [700, 54.5, 15.886, 0.034]
  const options = { timestepType: 'continuous', predictionType: 'v_prediction', useKarrasSigmas: true } as const
  const scheduler = euler({ ...options, timestepSpacing: 'leading', sigmaMin: 0.002, sigmaMax: 700 })
  const plan = scheduler.timesteps({ sigmas })
  expect(plan.sigmas).toEqual([...sigmas, 0].map(Math.fround))
  expect(plan.timesteps).toHaveLength(4)
  plan.timesteps.forEach((told, i) => {
    expect(told).toBeCloseTo(0.25 * Math.log(sigmas[i]!), 6)
  })
  expect(scheduler.initNoiseSigma(plan)).toBe(Math.hypot(700, 1))
  const lowest = euler({ ...options, finalSigmasType: 'sigma_min' }).timesteps({ sigmas }).sigmas!.at(-1)!
  expect(lowest).toBe(Math.fround(euler().timesteps(1000).sigmas![999]!))
  expect(() => scheduler.timesteps({ timesteps: [900, 100] })).toThrow(/expected steps by count, sigmas, strength/)
})

test("levels of the caller's own replace a curve", () => {
  const sigmas = [10, 2, 0.5]
  expect(euler({ useKarrasSigmas: true }).timesteps({ sigmas })).toEqual(euler().timesteps({ sigmas }))
})

test('told continuous levels, log-linear runs take one step more', () => {
  const options = { timestepType: 'continuous', predictionType: 'v_prediction', interpolationType: 'log_linear' } as const
  const { timesteps, sigmas } = euler(options).timesteps(8)
  expect(timesteps).toHaveLength(9)
  expect(sigmas!.at(-1)).toBe(0)
  timesteps.forEach((told, i) => {
    expect(told).toBeCloseTo(0.25 * Math.log(sigmas![i]!), 6)
  })
})
