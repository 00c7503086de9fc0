import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { varianceOrder } from '../../testing/index.ts'
import { kdpm2Ancestral } from './kdpm2-ancestral.ts'

test('the variance of ancestral KDPM2 is of second order', () => {
  for (const curve of [{ useExponentialSigmas: true }, { useKarrasSigmas: true }]) {
    const scheduler = kdpm2Ancestral({ predictionType: 'sample', betaSchedule: 'scaled_linear', ...curve })
    expect(varianceOrder(scheduler, 100)).toBeCloseTo(2, 1)
  }
})

test('every step but the last calls the model twice and draws noise at the second', () => {
  const scheduler = kdpm2Ancestral()
  const plan = scheduler.timesteps(4)
  expect(plan.timesteps).toHaveLength(7)
  const draws = plan.timesteps.map((_, step) => scheduler.needsNoise({ ...scheduler.begin(plan), step }))
  expect(draws).toEqual([false, true, false, true, false, true, false])
})

test('old noise and new make up the next level where the model knows x₀', () => {
  const scheduler = kdpm2Ancestral({ predictionType: 'sample' })
  const [x0, none, one] = [Float32Array.of(0.5), Float32Array.of(0), Float32Array.of(1)]
  for (const startAt of [0, 2, 8]) {
    const state = scheduler.begin<Float32Array>(10, startAt)
    /** What one step makes of x₀ + σ·old with a draw of `fresh`, less x₀. */
    const through = (old: Float32Array, fresh: Float32Array): number => {
      const sample = scheduler.addNoise(float32Linear, x0, old, state)
      const half = scheduler.step(float32Linear, state, x0, sample)
      return scheduler.step(float32Linear, half.state, x0, half.sample, fresh).sample[0]! - x0[0]!
    }
    const [kept, added] = [through(one, none), through(none, one)]
    const [sigma, next] = [state.plan.sigmas![state.step]!, state.plan.sigmas![state.step + 2]!]
    expect(kept / (next ** 2 / sigma)).toBeCloseTo(1, 4)
    expect(Math.hypot(kept, added) / next).toBeCloseTo(1, 5)
  }
})
