import { expect, test } from 'vitest'
import { convergenceOrder } from '../../testing/index.ts'
import { dpmSolverMultistep } from './dpm-solver-multistep.ts'

test('DPM-Solver is of the order that it is told', () => {
  const options = {
    predictionType: 'sample',
    useExponentialSigmas: true,
    finalSigmasType: 'sigma_min',
    betaSchedule: 'scaled_linear',
    lowerOrderFinal: false,
  } as const
  const order = (solverOrder: number, steps: number): number =>
    convergenceOrder(dpmSolverMultistep({ ...options, solverOrder }), steps)
  expect(order(1, 50)).toBeCloseTo(1, 1)
  expect(order(2, 50)).toBeCloseTo(2, 1)
  // The first step has no history and an error of h², which shows at third order once the steps are fine.
  expect(order(3, 12)).toBeGreaterThan(2.7)
})
