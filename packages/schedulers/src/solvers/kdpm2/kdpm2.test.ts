import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { fromConfig } from '../../registry/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { kdpm2 } from './kdpm2.ts'

test('KDPM2 is of second order', () => {
  for (const curve of [{ useExponentialSigmas: true }, { useKarrasSigmas: true }]) {
    const scheduler = kdpm2({ predictionType: 'sample', betaSchedule: 'scaled_linear', ...curve })
    expect(convergenceOrder(scheduler, 100)).toBeCloseTo(2, 1)
  }
})

test('the levels at the starts of steps are those of the reference', () => {
  const text = readFileSync(`${import.meta.dirname}/kdpm2.golden.json`, 'utf8')
  const { cases } = JSON.parse(text) as { cases: { config: object; steps: number; levels: number[] }[] }
  expect(cases).toHaveLength(6)
  for (const { config, steps, levels } of cases) {
    const { sigmas, starts } = fromConfig({ _class_name: 'KDPM2DiscreteScheduler', ...config }).timesteps(steps)
    const planned = [...starts!.map((call) => sigmas![call]!), sigmas!.at(-1)!]
    expect(planned).toHaveLength(levels.length)
    planned.forEach((sigma, i) => {
      expect(Math.abs(sigma - levels[i]!)).toBeLessThanOrEqual(1e-6 * levels[i]!)
    })
  }
})

test('between two levels the model is called at their geometric mean', () => {
  const { sigmas, timesteps } = kdpm2().timesteps(5)
  expect(timesteps).toHaveLength(9)
  for (const call of [1, 3, 5, 7]) {
    expect(sigmas![call]! ** 2 / (sigmas![call - 1]! * sigmas![call + 1]!)).toBeCloseTo(1, 6)
    expect(timesteps[call]).toBeGreaterThan(timesteps[call + 1]!)
    expect(timesteps[call]).toBeLessThan(timesteps[call - 1]!)
  }
})

test('only the middle of a step holds a tensor, and the last step has none', () => {
  const scheduler = kdpm2()
  const x = Float32Array.of(1, -2)
  let state = scheduler.begin<Float32Array>(3)
  const held: number[] = []
  for (let call = 0; call < 5; call++) {
    ;({ state } = scheduler.step(float32Linear, state, x, x))
    held.push(Object.keys(state.slots).length)
  }
  expect(held).toEqual([1, 0, 1, 0, 0])
})

test('the hook on x₀ decides where both halves of a step go', () => {
  const scheduler = kdpm2()
  const x = Float32Array.of(1, -2)
  const zero = { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }
  let state = scheduler.begin<Float32Array>(5)
  const begin = scheduler.level(state).noise
  let sample: Float32Array = x
  for (let call = 0; call < 2; call++) {
    ;({ state, sample } = scheduler.step(float32Linear, state, x, sample, undefined, zero))
  }
  const ratio = scheduler.level(state).noise / begin
  sample.forEach((one, i) => {
    expect(Math.abs(one - x[i]! * ratio)).toBeLessThan(1e-6)
  })
})
