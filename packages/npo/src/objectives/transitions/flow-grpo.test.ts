import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { flowGrpo } from '../index.ts'
import { expectCase, flowFixture, measure, policy, refusedBy } from './testing/policy.ts'
import { cases } from './testing/steps.ts'
import { testStepObjective } from './testing/test-step-objective.ts'

testStepObjective('flow-grpo', {
  ...policy, objective: flowGrpo<Tensor>({ clip: 0.5, kl: 0.3 }), unread: [],
  refused: [...refusedBy(flowGrpo), () => flowGrpo({ kl: -1 })],
})

test('loss and gradient are the released script\'s, with its divergence and without', () => {
  const { params, out } = cases.flow_grpo
  const got = measure(flowGrpo<undefined>({ clip: params.clip_range }), flowFixture('flow-grpo'))
  expectCase(got, out.loss, out.grads.v)
  expect(Math.abs((got.metrics['kl'] ?? 0) / out.kl_loss - 1)).toBeLessThan(1e-8)
  const without = measure(flowGrpo<undefined>({ clip: params.clip_range, kl: 0 }), flowFixture('flow-grpo'))
  expect(without.loss).toBeCloseTo(out.policy_loss, 9)
})
