import { expect, test } from 'vitest'
import { convergenceOrder } from '../../testing/index.ts'
import { float32Linear } from '../../linear/index.ts'
import { heun } from './heun.ts'

test('Heun is of second order', () => {
  const scheduler = heun({ predictionType: 'sample', useExponentialSigmas: true, betaSchedule: 'scaled_linear' })
  expect(convergenceOrder(scheduler, 200)).toBeCloseTo(2, 1)
})

test('each level but the first is called at twice, and a run may begin at any step', () => {
  const plan = heun().timesteps(4)
  expect(plan.timesteps).toHaveLength(7)
  expect(plan.starts).toEqual([0, 2, 4, 6])
  expect(heun().begin(plan, 2).step).toBe(4)
  expect(heun().begin(plan, 4).step).toBe(7)
})

test('only the middle of a step holds tensors', () => {
  const [x, scheduler] = [Float32Array.of(1, -2), heun()]
  const first = scheduler.step(float32Linear, scheduler.begin<Float32Array>(3), x, x)
  const second = scheduler.step(float32Linear, first.state, x, first.sample)
  expect(first.state.slots['sample']).toBe(x)
  expect(second.state.slots).toEqual({})
})

test('the hook on x₀ decides where both halves of a step go', () => {
  const [x, scheduler] = [Float32Array.of(1, -2), heun()]
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
