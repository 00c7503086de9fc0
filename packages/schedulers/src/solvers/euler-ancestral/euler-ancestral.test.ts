import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { varianceOrder } from '../../testing/index.ts'
import { ddpm } from '../ddpm/index.ts'
import { eulerAncestral } from './euler-ancestral.ts'

test('the variance of ancestral Euler is of first order', () => {
  const scheduler = eulerAncestral({ predictionType: 'sample', betaSchedule: 'scaled_linear' })
  expect(varianceOrder(scheduler, 400)).toBeCloseTo(1, 1)
})

test('a step is one of DDPM, for samples divided by √ᾱ', () => {
  const timesteps = [900, 700, 400, 100]
  const [ancestral, chain] = [eulerAncestral(), ddpm({ clipSample: false })]
  const [x0, epsilon, noise] = [Float32Array.of(0.5, -1), Float32Array.of(0.3, 2), Float32Array.of(-1, 0.7)]
  for (let step = 0; step < 3; step++) {
    const [next, expected] = [ancestral, chain].map((scheduler) => {
      const state = scheduler.begin<Float32Array>({ timesteps }, step)
      const sample = scheduler.addNoise(float32Linear, x0, epsilon, state)
      const moved = scheduler.step(float32Linear, state, epsilon, sample, noise)
      return moved.sample.map((x) => x / scheduler.level(moved.state).signal)
    })
    // DDPM takes 1 − α from float32.
    next!.forEach((x, i) => {
      expect(Math.abs(x / expected![i]! - 1)).toBeLessThan(1e-5)
    })
  }
})

test('the last step draws noise of no effect', () => {
  const scheduler = eulerAncestral()
  const state = scheduler.begin<Float32Array>(4, 3)
  const [x, epsilon] = [Float32Array.of(0.4), Float32Array.of(-0.3)]
  expect(scheduler.needsNoise(state)).toBe(true)
  const [one, other] = [1, -5].map((noise) => scheduler.step(float32Linear, state, epsilon, x, Float32Array.of(noise)))
  expect(one!.sample).toEqual(other!.sample)
  expect(one!.sample).toEqual(one!.x0)
})
