import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { type ReferredNetworks, spo, type StepPairBatch, throughGuidance } from './index.ts'
import { Leaves } from './testing/oracle.ts'
import { both, expectCase, held, pairsFrom, shared } from './transitions/testing/measure-pairs.ts'
import { cases, fixtures } from './transitions/testing/steps.ts'
import { testStepObjective } from './transitions/testing/test-step-objective.ts'

testStepObjective('spo through guidance', {
  ...held, batch: shared, refused: [
    () => throughGuidance(spo<Tensor>(), { positive: 1, unconditional: (c: Tensor) => c, scale: 2 } as never),
  ],
  objective: throughGuidance<StepPairBatch<Tensor>, Tensor, ReferredNetworks<Tensor>>(spo({ clip: 0.9 }), {
    positive: (x, _, c) => x.mul(0.3).sub(c).tanh(), unconditional: (c) => c.mul(0), scale: 1.5,
  }),
})

test('SPO has the released gradients on the negative branch, where the pair is not swapped', () => {
  const leaves = new Leaves()
  const f = fixtures.through
  const pairs = pairsFrom(leaves, f)
  const own = both(leaves, f.neg_w, f.neg_l)
  const positive = both(leaves, f.eps_pos, f.eps_pos)
  // The reference is the negative branch that guides to the prediction that is given.
  const frozen = f.eps_ref.map((e, i) => (e - 5 * f.eps_pos[i]!) / -4)
  const reference = both(leaves, frozen, frozen)
  const unconditional = (): undefined => undefined
  const objective = throughGuidance(spo<undefined>(), { positive: () => positive, unconditional, scale: 5 })
  expect(objective.name).toBe('spo through guidance')
  const networks = { model: () => own, reference: () => reference }
  const { grads: [grad = new Float64Array()], ...rest } = leaves.measure(objective.evaluate(networks, pairs), [own])
  expectCase({ ...rest, grads: [grad.slice(0, 96), grad.slice(96)] }, cases.spo_through_guidance.out)
  const still = throughGuidance(spo<undefined>(), { positive: () => positive, unconditional, scale: 1 })
  expect(leaves.measure(still.evaluate(networks, pairs), [own]).grads[0]?.every((g) => g === 0)).toBe(true)
})

