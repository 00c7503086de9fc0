import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone, type SchedulerState } from '../../run/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { flowMatchHeun } from './flow-match-heun.ts'

test('Heun on a flow is of second order', () => {
  const order = convergenceOrder(flowMatchHeun(), 100, (clean, x, { noise }) => (x - clean) / noise)
  expect(order).toBeCloseTo(2, 1)
})

test('a straight flow is followed exactly in any number of steps', () => {
  // All data at one point: ε − x₀ is then constant along each path.
  const [x0, noise] = [Float32Array.of(0.5, -2), Float32Array.of(-1, 0.25)]
  const slope = float32Linear.combine([[1, noise], [-1, x0]])
  for (const steps of [1, 2, 9]) {
    const scheduler = flowMatchHeun({ shift: 3 })
    let [state, x]: [SchedulerState<Float32Array>, Float32Array] = [scheduler.begin(steps), noise]
    while (!isDone(state)) ({ state, sample: x } = scheduler.step(float32Linear, state, slope, x))
    x.forEach((value, i) => {
      expect(Math.abs(value - x0[i]!)).toBeLessThan(1e-6)
    })
  }
})

test('each level but the first is called at twice, and levels of the caller are shifted', () => {
  const plan = flowMatchHeun({ shift: 3 }).timesteps({ sigmas: [1, 0.5] })
  expect(plan).toMatchObject({ timesteps: [1000, 750, 750], sigmas: [1, 0.75, 0.75, 0], starts: [0, 2] })
  expect(flowMatchHeun({ shift: 3 }).timesteps({ timesteps: [1000, 500] })).toEqual(plan)
})

test('only the middle of a step holds tensors, and the hook on x₀ decides where both halves go', () => {
  const [scheduler, x] = [flowMatchHeun(), Float32Array.of(1, -2)]
  const zero = { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }
  const first = scheduler.step(float32Linear, scheduler.begin<Float32Array>(5), x, x, undefined, zero)
  const second = scheduler.step(float32Linear, first.state, x, first.sample, undefined, zero)
  expect(Object.keys(first.state.slots)).toEqual(['sample', 'slope'])
  expect(second.state.slots).toEqual({})
  // With x₀ = 0 the sample is all noise, and shrinks as σ does.
  second.sample.forEach((value, i) => {
    expect(Math.abs(value - x[i]! * second.state.plan.sigmas![1]!)).toBeLessThan(1e-6)
  })
})
