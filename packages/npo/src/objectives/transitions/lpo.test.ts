import { ConfigError, type Tensor } from '@antipode/core'
import { ddim } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { stepCoefficients } from '../../transitions/index.ts'
import { lpo, lpoThreshold, negate, spo } from '../index.ts'
import type { Measured } from '../testing/oracle.ts'
import { thresholdBetween } from './lpo.ts'
import { expectCase, held, measure, refusedBy, shared } from './testing/measure-pairs.ts'
import selection from './testing/pair-selection.golden.json' with { type: 'json' }
import { cases } from './testing/steps.ts'
import { testStepObjective } from './testing/test-step-objective.ts'

testStepObjective('lpo', {
  ...held, objective: lpo<Tensor>({ beta: 5, clip: 0.9 }), batch: shared, refused: refusedBy(lpo),
})

test('LPO is SPO with another temperature', () => {
  const of = (objective: ReturnType<typeof lpo<undefined>>): Measured => measure(objective, (pairs) => pairs)
  expectCase(of(lpo<undefined>({ beta: 10 })), cases.spo.out)
  expect(of(lpo<undefined>())).toEqual(of(spo<undefined>({ beta: 500 })))
  expect([lpo().name, negate(lpo()).name]).toEqual(['lpo', 'negated lpo'])
})

test('thresholds of LPO are linear in the deviation', () => {
  const { lpo_sigma_table: table, lpo_threshold_min: low, lpo_threshold_max: high, timesteps } = selection.params
  const of = thresholdBetween(Math.min(...table), Math.max(...table), low, high)
  // The table is of timesteps 1, 51, …, 951.
  const got = timesteps.map((t) => of({ deviation: table[(t - 1) / 50] as number }))
  got.forEach((value, i) => { expect(value).toBeCloseTo(selection.out.lpo_threshold[i]!, 9) })
})

const stable = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 } as const
const scheduler = ddim({ ...stable, eta: 1, clipSample: false, setAlphaToOne: false })

test('the threshold of a run spans its own steps', () => {
  const begun = scheduler.begin(5)
  const of = lpoThreshold(scheduler, begun, { low: 0.35, high: 0.5 })
  const all = [0, 1, 2, 3, 4].map((step) => of(stepCoefficients(scheduler, { ...begun, step })))
  expect(Math.min(...all)).toBeCloseTo(0.35, 12)
  expect(Math.max(...all)).toBeCloseTo(0.5, 12)
  expect(() => lpoThreshold(scheduler, begun, { low: 0.5 } as never)).toThrow(ConfigError)
})

