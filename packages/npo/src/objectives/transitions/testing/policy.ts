import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect } from 'vitest'
import type { PolicyBatch, PreferenceObjective, ReferredNetworks } from '../../index.ts'
import { Leaves, type Measured, shape } from '../../testing/oracle.ts'
import { cases, ddimByHand, fixtures, flowSteps, type StepByHand, stepsOf } from './steps.ts'
import type { StepMaterial } from './test-step-objective.ts'

/** Steps of a fixture, by hand. */
export interface Given {
  readonly by: StepByHand
  readonly x: readonly number[]
  readonly next: readonly number[]
  readonly own: readonly number[]
  readonly reference?: readonly number[]
  readonly logProbs: readonly number[]
  readonly advantages: readonly number[]
}

/** What an objective makes of them; gradients by the model's predictions. */
export function measure(
  objective: PreferenceObjective<PolicyBatch<undefined>, ReferredNetworks<undefined>>, given: Given,
): Measured {
  const leaves = new Leaves()
  const prediction = leaves.of(given.own, shape)
  const reference = leaves.of(given.reference ?? given.own, shape)
  const batch: PolicyBatch<undefined> = {
    ...stepsOf(leaves, given.by, leaves.of(given.x, shape), given.next), condition: undefined,
    logProbs: leaves.of(given.logProbs, [3]), advantages: leaves.of(given.advantages, [3]),
  }
  const networks = { model: () => prediction, reference: () => reference }
  return leaves.measure(objective.evaluate(networks, batch), [prediction])
}

/** Expects a case's loss, and gradient. */
export function expectCase(got: Measured, loss: number, grad: readonly number[]): void {
  expect(Math.abs(got.loss / loss - 1)).toBeLessThan(1e-8)
  const want = Float64Array.from(grad)
  expect(largestGap(want, got.grads[0] ?? []) / Math.max(...want.map(Math.abs))).toBeLessThan(1e-8)
}

/** Steps of DDIM. */
export function stepFixture(): Given {
  const f = fixtures.step
  return {
    by: ddimByHand(f.alphas_cumprod, f.alphas_cumprod_prev), x: f.x_t, next: f.x_next_w, own: f.eps_w,
    logProbs: cases.ddim_step_logprob.out.logp_ref_w, advantages: cases.ddpo.params.advantages,
  }
}

/** Steps of a flow. */
export function flowFixture(rule: 'flow-grpo' | 'dance-grpo'): Given {
  const f = fixtures.flow
  const { logp_old: logProbs } = rule === 'flow-grpo' ? cases.flow_sde_step.out : cases.dance_grpo.out
  const { advantages } = cases.flow_grpo.params
  return { by: flowSteps(rule), x: f.x_t, next: f.x_next, own: f.v, reference: f.v_ref, logProbs, advantages }
}

/** Steps with advantages of either sign, within a wide band. */
export function policyBatch({ begin, step, logProbs, condition, each }: StepMaterial): PolicyBatch<Tensor> {
  const steps = step(begin())
  return { ...steps, condition, logProbs: logProbs(steps), advantages: each(0.5, -1, 0.75) }
}

/** Calls that all of them refuse. */
export function refusedBy(made: (options: never) => unknown): (() => unknown)[] {
  return [{ clip: 0 }, { advantageClip: -1 }, { epsilon: 1 }].map((options) => () => made(options as never))
}

/** What all policy gradients are held to: where nothing has moved the loss is −A·1, and negated, advantages change sign. */
export const policy: {
  readonly batch: typeof policyBatch
  readonly start: number
  readonly opposite: (batch: PolicyBatch<Tensor>) => { readonly batch: PolicyBatch<Tensor> }
} = {
  batch: policyBatch, start: -0.25 / 3,
  opposite: (batch) => ({ batch: { ...batch, advantages: batch.advantages.neg() } }),
}
