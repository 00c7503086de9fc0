import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone, type SchedulerState } from '../../run/index.ts'
import { consistency } from './consistency.ts'

test('indices of the caller that equal the spaced ones give the same plan', () => {
  expect(consistency().timesteps({ timesteps: [30, 20, 10, 0] })).toEqual(consistency().timesteps(4))
  expect(() => consistency().timesteps({ timesteps: [40, 0] })).toThrow(/from 39 to 0, got 40/)
  expect(() => consistency().timesteps(41)).toThrow(/1 to 40 steps/)
})

test('levels go from sigmaMax to sigmaMin, and the model is told 250 times their logarithm', () => {
  const plan = consistency().timesteps(40)
  expect(plan.sigmas!.slice(0, 1)).toEqual([80])
  expect(plan.sigmas!.slice(-2)).toEqual([Math.fround(0.002), Math.fround(0.002)])
  plan.timesteps.forEach((told, i) => {
    expect(Math.exp(told / 250) / plan.sigmas![i]!).toBeCloseTo(1, 6)
  })
})

test('at the least level the sample is its own clean form, whatever the model says', () => {
  const scheduler = consistency({ clipDenoised: false })
  const state = { ...scheduler.begin<Float32Array>(40), step: 39 }
  const x = Float32Array.of(0.25, -3)
  const { sample } = scheduler.step(float32Linear, state, Float32Array.of(1, -1), x, Float32Array.of(5, 5))
  sample.forEach((value, i) => {
    // σ_min in the plan is float32's, 1e-10 above the configuration's.
    expect(Math.abs(value - x[i]!)).toBeLessThan(1e-6)
  })
})

test('a model that learned what velocity says leads to x0 in any number of steps', () => {
  const [scheduler, x0] = [consistency(), Float32Array.of(0.75, -0.5)]
  for (const count of [1, 2, 8]) {
    let state: SchedulerState<Float32Array> = scheduler.begin(count)
    let noise = Float32Array.of(1.5, -0.5)
    let x: Float32Array = scheduler.addNoise(float32Linear, x0, noise, state)
    while (!isDone(state)) {
      const prediction = scheduler.velocity(float32Linear, x0, noise, state.plan.timesteps[state.step]!)
      const fresh = Float32Array.of(state.step - 1, 0.25)
      // A step adds √(σ² − σ_min²), so the sample is less noisy than its level says.
      const kept = Math.sqrt(1 - (0.002 / state.plan.sigmas![state.step + 1]!) ** 2)
      noise = fresh.map((value) => value * kept)
      ;({ state, sample: x } = scheduler.step(float32Linear, state, prediction, x, fresh))
    }
    x.forEach((value, i) => {
      // Samples of size 120 in float32, of which f keeps the clean part.
      expect(Math.abs(value - x0[i]!)).toBeLessThan(1e-5)
    })
  }
  expect(() => scheduler.velocity(float32Linear, x0, x0, 250 * Math.log(0.001))).toThrow(/a level above sigmaMin/)
})

test('a single step draws no noise, and levels that do not rise are refused', () => {
  expect(consistency().needsNoise(consistency().begin(1))).toBe(false)
  expect(consistency().needsNoise(consistency().begin(2, 1))).toBe(true)
  expect(() => consistency({ sigmaMin: 1, sigmaMax: 1 })).toThrow(/sigmaMin below sigmaMax 1, got 1/)
})
