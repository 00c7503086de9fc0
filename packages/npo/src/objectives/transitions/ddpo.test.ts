import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { ddpo } from '../index.ts'
import { expectCase, measure, policy, refusedBy, stepFixture } from './testing/policy.ts'
import { cases } from './testing/steps.ts'
import { testStepObjective } from './testing/test-step-objective.ts'

testStepObjective('ddpo', {
  ...policy, objective: ddpo<Tensor>({ clip: 0.5 }), referred: false, unread: ['elapsed'], refused: refusedBy(ddpo),
})

test.each(['ddpo', 'ddpo_released_clip'] as const)('loss, gradient and measures are the released script\'s: %s', (name) => {
  const { params, out } = cases[name]
  const got = measure(ddpo<undefined>({ clip: params.clip_range }), stepFixture())
  expectCase(got, out.loss, out.grads.eps_w)
  expect(got.metrics['approxKl']).toBeCloseTo(out.approx_kl, 9)
  expect(got.metrics['clipFraction']).toBe(out.clipfrac)
})

const { logp_w: own } = cases.ddim_step_logprob.out

test('a policy that has not moved has a gradient, but from equal rewards none', () => {
  const still = measure(ddpo<undefined>(), { ...stepFixture(), logProbs: own })
  expect(still.metrics['approxKl']).toBeCloseTo(0, 12)
  expect(still.metrics['clipFraction']).toBe(0)
  expect(still.grads[0]?.some((g) => g !== 0)).toBe(true)
  const equal = measure(ddpo<undefined>({ clip: 0.5 }), { ...stepFixture(), advantages: [0, 0, 0] })
  expect(equal.grads[0]?.every((g) => g === 0)).toBe(true)
})

test('the gradient is cut off only on the side that is an improvement already', () => {
  const gradOf = (advantage: number, ratio: number): boolean => {
    // Advantages of one step alone, and old probabilities that make its ratio.
    const logProbs = own.map((p) => p - Math.log(ratio))
    const { grads } = measure(ddpo<undefined>({ clip: 0.1 }), { ...stepFixture(), logProbs, advantages: [advantage, 0, 0] })
    return grads[0]?.some((g) => g !== 0) ?? false
  }
  expect([gradOf(1, 1.2), gradOf(1, 0.8), gradOf(-1, 1.2), gradOf(-1, 0.8)]).toEqual([false, true, true, false])
})
