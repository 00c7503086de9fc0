import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone, type SchedulerState } from '../../run/index.ts'
import { lcm } from './lcm.ts'

test('few steps lie where LCM-LoRA was trained', () => {
  expect(lcm().timesteps(4).timesteps).toEqual([999, 759, 499, 259])
  expect(lcm().timesteps(8).timesteps).toEqual([999, 879, 759, 639, 499, 379, 259, 139])
})

test('strength cuts the grid and keeps the number of steps', () => {
  expect(lcm().timesteps({ count: 4, strength: 0.5 }).timesteps).toEqual([499, 379, 259, 139])
  expect(() => lcm().timesteps({ count: 4, strength: 0.06 })).toThrow(/at most 3 steps at strength 0.06, got 4; raise strength/)
  expect(lcm().timesteps({ timesteps: [999, 700, 400, 100], strength: 0.5 }).timesteps).toEqual([400, 100])
})

test('more steps than the grid has, and a grid finer than training, are refused', () => {
  expect(() => lcm().timesteps(51)).toThrow(/1 to 50 steps/)
  expect(() => lcm({ originalInferenceSteps: 1001 })).toThrow(/originalInferenceSteps up to 1000, got 1001/)
})

test('the last step draws no noise, nor does a single one', () => {
  const draws = (count: number): boolean[] => Array.from({ length: count }, (_, i) => lcm().needsNoise(lcm().begin(count, i)))
  expect(draws(1)).toEqual([false])
  expect(draws(3)).toEqual([true, true, false])
})

test('at timestep 0 the sample is its own clean form, whatever the model says', () => {
  const state = lcm().begin<Float32Array>({ timesteps: [0] })
  const x = Float32Array.of(0.25, -3)
  expect(lcm().step(float32Linear, state, Float32Array.of(7, 8), x).sample).toEqual(x)
})

test('a model that knows x0 leads there in any number of steps', () => {
  const [scheduler, x0] = [lcm({ predictionType: 'sample' }), Float32Array.of(0.75, -0.5)]
  for (const count of [1, 2, 4, 8]) {
    let [state, x]: [SchedulerState<Float32Array>, Float32Array] = [scheduler.begin(count), Float32Array.of(3, -2)]
    while (!isDone(state)) ({ state, sample: x } = scheduler.step(float32Linear, state, x0, x, Float32Array.of(1, -1)))
    x.forEach((value, i) => {
      // c_skip is 0.25/(10·t)² < 2e-7 of a sample of size 3.
      expect(Math.abs(value - x0[i]!)).toBeLessThan(1e-6)
    })
  }
})
