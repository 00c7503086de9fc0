import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import type { Scheduler } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import { draft, type ReferredNetworks, spo, type StepPairBatch, throughGuidance } from './index.ts'
import { fixture, meanOfEach, out, params, shape, stoodAt } from './reward-gradients/testing/fixture.ts'
import golden from './reward-gradients/testing/reward-gradients.golden.json' with { type: 'json' }
import { exactDdim } from './testing/exact-ddim.ts'
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

describe('with a reward that is differentiated', () => {
  test('the negative branch has (1 − w)/w times the gradient of the positive', () => {
    const { inputs: given, out: want, params: { guidance } } = golden.cases.reward_through_guidance_last_step
    const leaves = new Leaves()
    const of = (values: readonly number[]): Tensor => leaves.of(values, shape)
    const [positive, negative] = [of(given.eps_pos), of(given.eps_neg)]
    const goal = of(given.goal)
    const last: Scheduler = exactDdim({ 61: golden.cases.reward_through_guidance_last_step.params.alphas_cumprod, [-1]: 1 })
    const objective = throughGuidance(
      draft<undefined>({ scheduler: last, reward: (x) => meanOfEach(x.sub(goal).square()).neg() }),
      { positive: () => positive, unconditional: () => undefined, scale: guidance },
    )
    const batch = { state: { sample: of(given.x), solver: last.begin<Tensor>({ timesteps: [61] }) }, condition: undefined, noises: [] }
    const { loss, grads } = leaves.measure(objective.evaluate({ model: () => negative }, batch), [positive, negative])
    expect(Math.abs(loss / want.loss - 1)).toBeLessThan(1e-8)
    for (const [i, values] of [want.grad_eps_pos, want.grad_eps_neg].entries()) {
      const wanted = Float64Array.from(values)
      expect(largestGap(wanted, grads[i] ?? []) / Math.max(...wanted.map(Math.abs))).toBeLessThan(1e-8)
    }
  })

  test('over several steps the frozen branch carries the sample\'s gradient on, unless it is told not to', () => {
    const f = fixture()
    const [positive, negative] = f.weights as [Tensor, Tensor]
    const measured = (frozenBranchInputGrad?: boolean): number => {
      const options = { positive: f.net(positive), unconditional: () => undefined, scale: params.guidance }
      const objective = throughGuidance(draft<undefined>(f.options), frozenBranchInputGrad === undefined ? options : { ...options, frozenBranchInputGrad })
      return f.leaves.measure(objective.evaluate({ model: f.net(negative) }, stoodAt(f, 3)), [negative]).grads[0]?.[0] as number
    }
    expect(Math.abs(measured() / out.draft_2.grad_a_uncond - 1)).toBeLessThan(1e-8)
    expect(measured(true)).toBe(measured())
    expect(Math.abs(measured(false) / measured() - 1)).toBeGreaterThan(1e-3)
  })
})
