import { expect, test } from 'vitest'
import { varianceOrder } from '../../testing/index.ts'
import { ddpm } from './ddpm.ts'

test('the variance of DDPM is of first order, also in the larger of its two forms', () => {
  for (const varianceType of ['fixed_small', 'fixed_large'] as const) {
    const scheduler = ddpm({ predictionType: 'sample', betaSchedule: 'scaled_linear', clipSample: false, varianceType })
    expect(varianceOrder(scheduler, 500), varianceType).toBeCloseTo(1, 1)
  }
})
