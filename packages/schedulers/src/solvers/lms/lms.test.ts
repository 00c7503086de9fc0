import fc from 'fast-check'
import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone } from '../../run/index.ts'
import { convergenceOrder } from '../../testing/index.ts'
import { euler } from '../euler/index.ts'
import { lagrangeIntegrals } from './lagrange.ts'
import { lms } from './lms.ts'

test('LMS is of the order that it is told', () => {
  const order = (own: number, steps: number): number =>
    convergenceOrder(
      lms({ order: own, predictionType: 'sample', useExponentialSigmas: true, betaSchedule: 'scaled_linear' }),
      steps,
    )
  expect(order(1, 50)).toBeCloseTo(1, 1)
  expect(order(2, 200)).toBeCloseTo(2, 1)
  expect(order(3, 400)).toBeCloseTo(3, 1)
  // Beyond 200 steps the levels' own rounding to float32 shows.
  expect(order(4, 100)).toBeGreaterThan(3.75)
})

test('even levels give the coefficients of Adams and Bashforth', () => {
  const weights = lagrangeIntegrals([3, 2, 1, 0], 3, 4)
  weights.forEach((weight, k) => {
    expect(weight * 24).toBeCloseTo([55, -59, 37, -9][k]!, 10)
  })
})

test('the weights integrate every polynomial that they have nodes for', () => {
  const gap = fc.double({ min: 0.05, max: 2, noNaN: true })
  fc.assert(
    fc.property(fc.array(gap, { minLength: 2, maxLength: 6 }), fc.nat(4), (gaps, power) => {
      const levels = gaps.reduce((list, one) => [...list, list.at(-1)! - one], [0])
      const [end, ...nodes] = levels.toReversed() as [number, ...number[]]
      const from = nodes[0]!
      if (power >= nodes.length) return
      const sum = lagrangeIntegrals(nodes, from, end).reduce((total, weight, k) => total + weight * nodes[k]! ** power, 0)
      const exact = (end ** (power + 1) - from ** (power + 1)) / (power + 1)
      // Weights alternate in sign and may be a thousand times their sum where gaps differ much.
      expect(Math.abs(sum - exact)).toBeLessThan(1e-8 * Math.max(1, Math.abs(exact)))
    }),
  )
})

test('order 1 is Euler from any start', () => {
  const [x, epsilon] = [Float32Array.of(0.5, -2), Float32Array.of(1, 0.25)]
  for (const startAt of [0, 3, 5]) {
    const [one, other] = [lms({ order: 1 }), euler()].map(
      (scheduler) => scheduler.step(float32Linear, scheduler.begin(6, startAt), epsilon, x).sample,
    )
    one!.forEach((value, i) => {
      expect(Math.abs(value - other![i]!)).toBeLessThan(1e-5)
    })
  }
})

test('a run that begins late ends at x₀ when its model knows it', () => {
  const scheduler = lms({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 })
  let state = scheduler.begin<Float32Array>({ count: 50, strength: 0.1 })
  let x = scheduler.addNoise(float32Linear, Float32Array.of(0.5, 0.5), Float32Array.of(-0.3, 1.2), state)
  while (!isDone(state)) {
    const { noise } = scheduler.level(state)
    ;({ state, sample: x } = scheduler.step(float32Linear, state, x.map((value) => (value - 0.5) / noise), x))
  }
  for (const value of x) expect(value).toBeCloseTo(0.5, 6)
})

test('the hook on x₀ decides the slope', () => {
  const scheduler = lms()
  const state = scheduler.begin<Float32Array>(5)
  const [x, zero] = [Float32Array.of(2, -1), { x0: (x0: Float32Array): Float32Array => x0.map(() => 0) }]
  const { sample } = scheduler.step(float32Linear, state, x, x, undefined, zero)
  const ratio = state.plan.sigmas![1]! / state.plan.sigmas![0]!
  sample.forEach((one, i) => {
    expect(Math.abs(one - x[i]! * ratio)).toBeLessThan(1e-6)
  })
})
