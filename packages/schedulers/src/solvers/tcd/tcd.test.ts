import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { ddim } from '../ddim/index.ts'
import { tcd } from './tcd.ts'

test('without noise TCD is of first order, as DDIM is', () => {
  const scheduler = tcd({ eta: 0, predictionType: 'sample' })
  // Both numbers of steps must end at one timestep.
  const begin: typeof scheduler.begin = (steps) =>
    scheduler.begin({ timesteps: Array.from({ length: Number(steps) + 1 }, (_, i) => 999 - (900 / Number(steps)) * i) })
  expect(convergenceOrder({ ...scheduler, begin }, 90)).toBeCloseTo(1, 1)
})

test('without noise a step is that of DDIM to the same timestep', () => {
  const latent = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 } as const
  const steps = { timesteps: [999, 759, 499, 259] }
  const [x, epsilon] = [Float32Array.of(0.3, -1), Float32Array.of(-0.2, 0.5)]
  const next = [tcd({ eta: 0 }), ddim({ ...latent, clipSample: false })].map(
    (scheduler) => scheduler.step(float32Linear, scheduler.begin<Float32Array>(steps), epsilon, x).sample,
  )
  expect(next[0]).toEqual(next[1])
})

test('whatever its eta, a step ends at the noise level of the next timestep', () => {
  // With x₀ = 0 and unit normal ε and noise of the step, the variance of the result is the sum of squared shares.
  const zero = Float32Array.of(0)
  const one = Float32Array.of(1)
  for (const eta of [0.1, 0.3, 0.8, 1]) {
    const scheduler = tcd({ eta })
    const state = scheduler.begin<Float32Array>(4)
    const { signal, noise } = scheduler.level(state)
    const fromEpsilon = scheduler.step(float32Linear, state, one, Float32Array.of(noise), zero).sample[0]!
    const fromNoise = scheduler.step(float32Linear, state, zero, zero, one).sample[0]!
    const fromClean = scheduler.step(float32Linear, state, zero, Float32Array.of(signal), zero).sample[0]!
    const after = scheduler.level({ ...state, step: 1 })
    expect(Math.hypot(fromEpsilon, fromNoise) / after.noise).toBeCloseTo(1, 6)
    expect(fromClean / after.signal).toBeCloseTo(1, 6)
  }
})

test('the last step draws no noise and ends at timestep 0', () => {
  expect(tcd().needsNoise(tcd().begin(4, 2))).toBe(true)
  expect(tcd().needsNoise(tcd().begin(4, 3))).toBe(false)
  expect(tcd({ eta: 0 }).needsNoise(tcd({ eta: 0 }).begin(4))).toBe(false)
  expect(tcd().timesteps(4).previous).toEqual([759, 499, 259, 0])
})
