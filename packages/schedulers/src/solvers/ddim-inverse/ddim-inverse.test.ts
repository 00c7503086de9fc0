import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone, type SchedulerState } from '../../run/index.ts'
import { convergenceOrder, type Predict } from '../../testing/index.ts'
import { ddim } from '../ddim/index.ts'
import { ddimInverse } from './ddim-inverse.ts'

const latent = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, clipSample: false } as const

test('inverted DDIM is of first order', () => {
  const scheduler = ddimInverse(latent)
  // Both numbers of steps must begin and end at the same timesteps. They begin with some noise: from none the first step
  // is of another length than the others in the noise ratio, and its error falls as h·ln h.
  const begin: typeof scheduler.begin = (steps) =>
    scheduler.begin({ timesteps: Array.from({ length: Number(steps) + 2 }, (_, i) => 45 + (900 / Number(steps)) * i) }, 1)
  const epsilon: Predict = (_, x, { signal, noise }) => (x * noise) / (signal ** 2 / 4 + noise ** 2)
  expect(convergenceOrder({ ...scheduler, begin }, 90, epsilon)).toBeCloseTo(1, 1)
})

test('DDIM undoes it exactly where the model says the same at both ends of a step', () => {
  const [image, epsilon] = [Float32Array.of(0.5, -1.25, 0.1), Float32Array.of(1, -0.5, 2)]
  const solvers = [ddimInverse(latent), ddim(latent)]
  const samples: Float32Array[] = [image]
  for (const scheduler of solvers) {
    let [state, x]: [SchedulerState<Float32Array>, Float32Array] = [scheduler.begin(10), samples.at(-1)!]
    while (!isDone(state)) ({ state, sample: x } = scheduler.step(float32Linear, state, epsilon, x))
    samples.push(x)
  }
  samples[2]!.forEach((value, i) => {
    // Float32 over twenty steps, magnified by the 1/√ᾱ of the noisiest.
    expect(Math.abs(value - image[i]!)).toBeLessThan(1e-5)
  })
  expect(samples[1]).not.toEqual(image)
})

test('timesteps rise, each step begins a stride before its own, and the first at the clean end', () => {
  const plan = ddimInverse({ stepsOffset: 1 }).timesteps(5)
  expect(plan.timesteps).toEqual([1, 201, 401, 601, 801])
  expect(plan.extra).toEqual({ from: [-1, 1, 201, 401, 601] })
  expect(ddimInverse().timesteps({ timesteps: [10, 500, 700] }).extra).toEqual({ from: [-1, 10, 500] })
  expect(() => ddimInverse().timesteps({ timesteps: [700, 10] })).toThrow(/rising whole timesteps from 0 to 999/)
})

test('the level of a state is where its sample is, not where the step goes', () => {
  const scheduler = ddimInverse()
  expect(scheduler.level(scheduler.begin(10))).toEqual({ signal: 1, noise: 0 })
  expect(scheduler.level(scheduler.begin(10, 3)).signal).toBe(Math.sqrt(scheduler.schedule.alphasCumprod[200]!))
})

test('a model of x0 cannot say the noise of a clean image, unless the run begins at the table', () => {
  const x = Float32Array.of(1)
  const step = (setAlphaToOne: boolean): Float32Array => {
    const scheduler = ddimInverse({ predictionType: 'sample', setAlphaToOne })
    return scheduler.step(float32Linear, scheduler.begin<Float32Array>(10), x, x).sample
  }
  expect(() => step(true)).toThrow(/no noise yet.*setAlphaToOne/)
  expect(step(false).every(Number.isFinite)).toBe(true)
})
