import { expect, test } from 'vitest'
import { convergenceOrder } from '../../testing/index.ts'
import { euler } from './euler.ts'

test('Euler is of first order', () => {
  const scheduler = euler({ predictionType: 'sample', useExponentialSigmas: true, betaSchedule: 'scaled_linear' })
  expect(convergenceOrder(scheduler, 50)).toBeCloseTo(1, 1)
})

test('sigmas of the caller that lie on the table are told as their timesteps', () => {
  const plan = euler().timesteps(6)
  const again = euler().timesteps({ sigmas: plan.sigmas!.slice(0, -1) })
  expect(again.sigmas).toEqual(plan.sigmas)
  again.timesteps.forEach((timestep, i) => {
    expect(timestep).toBeCloseTo(plan.timesteps[i]!, 2)
  })
})
