import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { imageMu } from '../../sigmas/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { flowMatchEuler } from './flow-match-euler.ts'

test('Euler on a flow is of first order', () => {
  const order = convergenceOrder(flowMatchEuler(), 200, (clean, x, { noise }) => (x - clean) / noise)
  expect(order).toBeCloseTo(1, 1)
})

test('the spaced levels are shifted twice at their low end, as in the reference', () => {
  expect(flowMatchEuler({ shift: 3 }).timesteps(20).sigmas![19]).toBeCloseTo(0.00893, 5)
})

test('inverted levels run from noise at 0 to clean data at 1', () => {
  const scheduler = flowMatchEuler({ invertSigmas: true })
  const [x0, noise] = [Float32Array.of(0.5), Float32Array.of(-1)]
  let state = scheduler.begin<Float32Array>(4)
  expect(scheduler.level(state)).toEqual({ signal: 0, noise: 1 })
  let sample: Float32Array = noise
  // Such a model says dx/dσ of x = σ·x₀ + (1 − σ)·ε.
  const slope = Float32Array.of(1.5)
  for (let step = 0; step < 4; step++) ({ state, sample } = scheduler.step(float32Linear, state, slope, sample))
  expect(sample[0]).toBeCloseTo(x0[0]!, 6)
})

test('stochastic sampling noises x₀ to the next level', () => {
  const scheduler = flowMatchEuler({ stochasticSampling: true })
  const state = scheduler.begin<Float32Array>(4)
  const one = Float32Array.of(1)
  const { sample } = scheduler.step(float32Linear, state, Float32Array.of(0), one, Float32Array.of(3))
  const next = state.plan.sigmas![1]!
  expect(scheduler.needsNoise(state)).toBe(true)
  expect(sample[0]).toBeCloseTo((1 - next) * 1 + next * 3, 6)
})

test('the target of a flow model is noise less data', () => {
  const velocity = flowMatchEuler().velocity(float32Linear, Float32Array.of(2), Float32Array.of(5), 500)
  expect(velocity[0]).toBe(3)
})

test('the shift of an image grows linearly with its tokens', () => {
  expect(imageMu(256)).toBe(0.5)
  expect(imageMu(4096)).toBeCloseTo(1.15, 12)
})
