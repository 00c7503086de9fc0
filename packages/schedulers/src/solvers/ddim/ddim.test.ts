import { expect, test } from 'vitest'
import { convergenceOrder, varianceOrder } from '../../testing/index.ts'
import { ddim } from './ddim.ts'

const exact = { predictionType: 'sample', betaSchedule: 'scaled_linear', clipSample: false } as const

test('without noise DDIM is of first order', () => {
  const scheduler = ddim(exact)
  // Both numbers of steps must end at one timestep.
  const begin: typeof scheduler.begin = (steps) =>
    scheduler.begin({ timesteps: Array.from({ length: Number(steps) + 1 }, (_, i) => 999 - (900 / Number(steps)) * i) })
  expect(convergenceOrder({ ...scheduler, begin }, 90)).toBeCloseTo(1, 1)
})

test('with the noise of DDPM its variance is of first order', () => {
  expect(varianceOrder(ddim({ ...exact, eta: 1 }), 500)).toBeCloseTo(1, 1)
})
