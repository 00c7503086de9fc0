import { expect, test } from 'vitest'
import { float32Linear, type Linear } from '../../linear/index.ts'
import { isDone } from '../../run/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { ipndm } from './ipndm.ts'

test('IPNDM is of second order, reached slowly', () => {
  const order = convergenceOrder(ipndm(), 400, (clean, x, { signal, noise }) => {
    return (signal * (x - signal * clean)) / noise - noise * clean
  })
  // Even weights on levels that bunch at both ends: 1.65 at 25 steps, 1.85 at 1600.
  expect(order).toBeGreaterThan(1.75)
  expect(order).toBeLessThan(2)
})

test('the noise of a step is a squared sine, and the model is told the angle that it makes', () => {
  const { timesteps, sigmas } = ipndm().timesteps(4)
  sigmas!.forEach((sigma, i) => {
    expect(sigma).toBeCloseTo(Math.sin((Math.PI / 2) * (1 - i / 4)) ** 2, 6)
  })
  // sin²(π/4) = ½ is the sine of a third of a right angle.
  expect(timesteps[0]).toBe(1)
  expect(timesteps[2]).toBeCloseTo(1 / 3, 6)
})

test('the first step goes on from what the model says of x₀ at pure noise', () => {
  const scheduler = ipndm()
  const state = scheduler.begin<Float32Array>(10)
  const [x, v] = [Float32Array.of(0.5, -2), Float32Array.of(-3, 8)]
  const { sample } = scheduler.step(float32Linear, state, v, x)
  const sigma = state.plan.sigmas![1]!
  sample.forEach((value, i) => {
    expect(value).toBeCloseTo(sigma * x[i]! - Math.sqrt(1 - sigma ** 2) * v[i]!, 6)
  })
})

test('no coefficient of a run is so large that sums in float32 would lose it', () => {
  const scheduler = ipndm()
  const coefficients: number[] = []
  const linear: Linear<Float32Array> = {
    combine(terms) {
      coefficients.push(...terms.map(([coefficient]) => coefficient))
      return float32Linear.combine(terms)
    },
  }
  let state = scheduler.begin<Float32Array>(10)
  let sample: Float32Array = Float32Array.of(0.5, -2)
  while (!isDone(state)) ({ state, sample } = scheduler.step(linear, state, sample, sample))
  // α'/α of the second step, whose signal is small.
  expect(Math.max(...coefficients.map(Math.abs))).toBeLessThan(10)
})

test('what a model learns to predict gives x₀ back', () => {
  const scheduler = ipndm()
  const [x0, noise] = [Float32Array.of(0.4, -1), Float32Array.of(-0.7, 0.2)]
  for (const startAt of [0, 4, 9]) {
    const state = scheduler.begin<Float32Array>(10, startAt)
    const told = state.plan.timesteps[startAt]!
    const target = scheduler.velocity(float32Linear, x0, noise, told)
    const sample = scheduler.addNoise(float32Linear, x0, noise, told)
    scheduler.step(float32Linear, state, target, sample).x0.forEach((one, i) => {
      expect(one).toBeCloseTo(x0[i]!, 5)
    })
  }
})

test('a run ends at x₀ when its model knows it, and keeps four slopes', () => {
  const scheduler = ipndm()
  const x0 = Float32Array.of(0.75, -0.5)
  let state = scheduler.begin<Float32Array>(9, 1)
  let sample = scheduler.addNoise(float32Linear, x0, Float32Array.of(1, -2), state)
  while (!isDone(state)) {
    const { signal, noise } = scheduler.level(state)
    // v of this sample: (signal·x − x₀)/noise
    const prediction = float32Linear.combine([[signal / noise, sample], [-1 / noise, x0]])
    ;({ state, sample } = scheduler.step(float32Linear, state, prediction, sample))
  }
  expect(state.history).toHaveLength(4)
  sample.forEach((one, i) => {
    expect(one).toBeCloseTo(x0[i]!, 5)
  })
})

test('the hook on x₀ decides the slope', () => {
  const scheduler = ipndm()
  const state = scheduler.begin<Float32Array>(6, 2)
  const [x, zero] = [Float32Array.of(2, -1), { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }]
  const { sample } = scheduler.step(float32Linear, state, x, x, undefined, zero)
  const ratio = state.plan.sigmas![3]! / state.plan.sigmas![2]!
  sample.forEach((one, i) => {
    expect(one / (x[i]! * ratio)).toBeCloseTo(1, 6)
  })
})
