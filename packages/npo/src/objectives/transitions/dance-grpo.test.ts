import type { Tensor } from '@antipode/core'
import { test } from 'vitest'
import { danceGrpo } from '../index.ts'
import { expectCase, flowFixture, measure, policy, refusedBy } from './testing/policy.ts'
import { cases } from './testing/steps.ts'
import { testStepObjective } from './testing/test-step-objective.ts'

testStepObjective('dance-grpo', {
  ...policy, objective: danceGrpo<Tensor>({ clip: 0.5 }), referred: false, unread: ['elapsed'],
  refused: refusedBy(danceGrpo),
})

test('loss and gradient are the released script\'s', () => {
  const { params, out } = cases.dance_grpo
  const got = measure(danceGrpo<undefined>({ clip: params.clip_range }), flowFixture('dance-grpo'))
  expectCase(got, out.loss, out.grads.v)
})
