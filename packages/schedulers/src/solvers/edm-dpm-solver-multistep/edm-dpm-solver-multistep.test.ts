import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { convergenceOrder, type Predict } from '../../testing/index.ts'
import { edmEuler } from '../edm-euler/index.ts'
import { edmDpmSolverMultistep } from './edm-dpm-solver-multistep.ts'

/** The model's own output for a known x₀: (x₀ − c_skip·x)/c_out at the default sigmaData. */
const output: Predict = (clean, x, { noise: sigma }) => {
  const size = Math.hypot(sigma, 0.5)
  return ((clean - (0.5 / size) ** 2 * x) * size) / (sigma * 0.5)
}

test('EDM DPM-Solver++ is of the first or second order that it is told', () => {
  const order = (solverOrder: number, solverType: 'midpoint' | 'heun'): number =>
    convergenceOrder(
      edmDpmSolverMultistep({ sigmaSchedule: 'exponential', lowerOrderFinal: false, solverOrder, solverType }),
      100,
      output,
    )
  for (const solverType of ['midpoint', 'heun'] as const) {
    expect(order(1, solverType)).toBeCloseTo(1, 1)
    expect(order(2, solverType)).toBeCloseTo(2, 1)
  }
})

test('at order 1 a step is that of Euler', () => {
  const [x, prediction] = [Float32Array.of(3, -1), Float32Array.of(0.2, 0.6)]
  for (const startAt of [0, 4, 9]) {
    const [one, other] = [edmDpmSolverMultistep({ solverOrder: 1 }), edmEuler()].map(
      (scheduler) => scheduler.step(float32Linear, scheduler.begin<Float32Array>(10, startAt), prediction, x).sample,
    )
    one!.forEach((value, i) => {
      expect(Math.abs(value - other![i]!)).toBeLessThan(1e-5)
    })
  }
})

test('the SDE algorithm leaves the variance of the next level where the model knows x₀', () => {
  const zero = { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }
  const scheduler = edmDpmSolverMultistep({ algorithmType: 'sde-dpmsolver++' })
  const state = scheduler.begin<Float32Array>(10, 3)
  const [sigma, next] = [state.plan.sigmas![3]!, state.plan.sigmas![4]!]
  const [none, one] = [Float32Array.of(0), Float32Array.of(1)]
  const through = (old: Float32Array, fresh: Float32Array): number => {
    const sample = float32Linear.combine([[sigma, old]])
    return scheduler.step(float32Linear, state, none, sample, fresh, zero).sample[0]!
  }
  expect(scheduler.needsNoise(state)).toBe(true)
  expect(Math.hypot(through(one, none), through(none, one)) / next).toBeCloseTo(1, 5)
})

test('orders that an algorithm lacks are refused', () => {
  expect(() => edmDpmSolverMultistep({ solverOrder: 4 })).toThrow(/solverOrder from 1 to 3 for dpmsolver\+\+, got 4/)
  expect(() => edmDpmSolverMultistep({ solverOrder: 3, algorithmType: 'sde-dpmsolver++' })).toThrow(/from 1 to 2/)
})

test('a last step from sigmaMin to sigmaMin changes nothing', () => {
  const scheduler = edmDpmSolverMultistep({ sigmaSchedule: 'exponential', finalSigmasType: 'sigma_min', sigmaMin: 0.25 })
  const state = scheduler.begin<Float32Array>(8, 7)
  const x = Float32Array.of(0.5, -2)
  expect(state.plan.sigmas!.slice(-2)).toEqual([0.25, 0.25])
  expect(scheduler.step(float32Linear, state, x, x).sample).toEqual(x)
})
