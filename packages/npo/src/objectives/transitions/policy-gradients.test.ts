import { constant, tensor, type Tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret, largestGap } from '@antipode/core/testing'
import { flowMatchSde } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import { stepCoefficients, stepLevels, stepLogProb, stepMean } from '../../transitions/index.ts'
import {
  danceGrpo, ddpo, flowGrpo, type PolicyBatch, type PreferenceObjective, type ReferredNetworks,
} from '../index.ts'
import { Leaves, type Measured, shape } from '../testing/oracle.ts'
import { cases, ddimByHand, fixtures, flowSteps, type StepByHand, stepsOf } from './testing/steps.ts'
import { type StepMaterial, testStepObjective } from './testing/test-step-objective.ts'

interface Given {
  readonly by: StepByHand
  readonly x: readonly number[]
  readonly next: readonly number[]
  readonly own: readonly number[]
  readonly reference?: readonly number[]
  readonly logProbs: readonly number[]
  readonly advantages: readonly number[]
}

function measure(
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

function expectCase(got: Measured, loss: number, grad: readonly number[]): void {
  expect(Math.abs(got.loss / loss - 1)).toBeLessThan(1e-8)
  const want = Float64Array.from(grad)
  expect(largestGap(want, got.grads[0] ?? []) / Math.max(...want.map(Math.abs))).toBeLessThan(1e-8)
}

const stepFixture = (): Given => {
  const f = fixtures.step
  return {
    by: ddimByHand(f.alphas_cumprod, f.alphas_cumprod_prev), x: f.x_t, next: f.x_next_w, own: f.eps_w,
    logProbs: cases.ddim_step_logprob.out.logp_ref_w, advantages: cases.ddpo.params.advantages,
  }
}
const flowFixture = (rule: 'flow-grpo' | 'dance-grpo'): Given => {
  const f = fixtures.flow
  const { logp_old: logProbs } = rule === 'flow-grpo' ? cases.flow_sde_step.out : cases.dance_grpo.out
  const { advantages } = cases.flow_grpo.params
  return { by: flowSteps(rule), x: f.x_t, next: f.x_next, own: f.v, reference: f.v_ref, logProbs, advantages }
}

describe('on the released scripts\' numbers', () => {
  test.each(['ddpo', 'ddpo_released_clip'] as const)('DDPO has their loss, gradient and measures: %s', (name) => {
    const { params, out } = cases[name]
    const got = measure(ddpo<undefined>({ clip: params.clip_range }), stepFixture())
    expectCase(got, out.loss, out.grads.eps_w)
    expect(got.metrics['approxKl']).toBeCloseTo(out.approx_kl, 9)
    expect(got.metrics['clipFraction']).toBe(out.clipfrac)
  })

  test('Flow-GRPO has theirs, with its divergence', () => {
    const { params, out } = cases.flow_grpo
    const got = measure(flowGrpo<undefined>({ clip: params.clip_range }), flowFixture('flow-grpo'))
    expectCase(got, out.loss, out.grads.v)
    expect(Math.abs((got.metrics['kl'] ?? 0) / out.kl_loss - 1)).toBeLessThan(1e-8)
    const without = measure(flowGrpo<undefined>({ clip: params.clip_range, kl: 0 }), flowFixture('flow-grpo'))
    expect(without.loss).toBeCloseTo(out.policy_loss, 9)
  })

  test('DanceGRPO has theirs', () => {
    const { params, out } = cases.dance_grpo
    const got = measure(danceGrpo<undefined>({ clip: params.clip_range }), flowFixture('dance-grpo'))
    expectCase(got, out.loss, out.grads.v)
  })
})

/** Steps with advantages of either sign, within a wide band. */
function policyBatch({ begin, step, logProbs, condition, each }: StepMaterial): PolicyBatch<Tensor> {
  const steps = step(begin())
  return { ...steps, condition, logProbs: logProbs(steps), advantages: each(0.5, -1, 0.75) }
}
const opposite = (batch: PolicyBatch<Tensor>) => ({ batch: { ...batch, advantages: batch.advantages.neg() } })
const refusedBy = (made: (options: never) => unknown) =>
  [{ clip: 0 }, { advantageClip: -1 }, { epsilon: 1 }].map((options) => () => made(options as never))
// Where nothing has moved, −A·1 of each.
const policy = { batch: policyBatch, opposite, start: -0.25 / 3 }

testStepObjective('ddpo', {
  ...policy, objective: ddpo<Tensor>({ clip: 0.5 }), referred: false, unread: ['elapsed'], refused: refusedBy(ddpo),
})
testStepObjective('dance-grpo', {
  ...policy, objective: danceGrpo<Tensor>({ clip: 0.5 }), referred: false, unread: ['elapsed'], refused: refusedBy(danceGrpo),
})
testStepObjective('flow-grpo', {
  ...policy, objective: flowGrpo<Tensor>({ clip: 0.5, kl: 0.3 }), unread: [],
  refused: [...refusedBy(flowGrpo), () => flowGrpo({ kl: -1 })],
})

const scheduler = flowMatchSde()

/** Steps that one network took, and parameters of another. */
function toy(moved: number, advantages: readonly number[]) {
  const host = new FakeHost()
  const wave = (seed: number, n: number): number[] =>
    Array.from({ length: n }, (_, i) => Math.sin(7 * seed + 3.7 * i * i))
  const begun = scheduler.begin(8)
  const levels = stepLevels(host, [1, 4, 6].map((step) => stepCoefficients(scheduler, { ...begun, step })), 2)
  const [sample, condition] = [tensor(host, wave(1, 9), [3, 3]), tensor(host, wave(2, 9), [3, 3])]
  const net = (by: number): { net: Denoiser<Tensor>; a: Tensor } => {
    const a = tensor(host, wave(8, 3).map((v) => v + by))
    return { a, net: (x, t, c) => x.mul(a).add(t.div(1000).unsqueeze(1)).add(c).tanh() }
  }
  const [old, own] = [net(0), net(moved)]
  const next = tensor(host, wave(3, 9), [3, 3])
  const mean = stepMean(old.net(sample, levels.timesteps, condition), { ...levels, sample })
  const batch: PolicyBatch<Tensor> = {
    ...levels, sample, next, condition, logProbs: stepLogProb(mean, { ...levels, next }),
    advantages: constant(host, advantages),
  }
  return { batch, a: own.a, networks: { model: own.net, reference: old.net } }
}

test('a policy that has not moved has ratios of 1 and a gradient, and equal rewards have none', () => {
  const { batch, networks } = toy(0, [1, 2, -3])
  const { loss, metrics } = ddpo<Tensor>().evaluate(networks, batch)
  const [value, kl, clipped] = interpret([loss, metrics['approxKl'] as Tensor, metrics['clipFraction'] as Tensor])
  expect(value?.[0]).toBeCloseTo(0, 12)
  expect([kl?.[0], clipped?.[0]]).toEqual([0, 0])
  const equal = toy(0.05, [0, 0, 0])
  const gap = gradientGap(ddpo<Tensor>().evaluate(equal.networks, equal.batch).loss, { a: equal.a })
  expect([gap.gradient, gap.difference]).toEqual([0, 0])
})

test('the gradient is cut off only on the side that is an improvement already', () => {
  const gradOf = (advantage: number, ratio: number): boolean => {
    const given = stepFixture()
    // Advantages of one step alone, and old probabilities that make its ratio.
    const logProbs = cases.ddim_step_logprob.out.logp_w.map((p) => p - Math.log(ratio))
    const { grads } = measure(ddpo<undefined>({ clip: 0.1 }), { ...given, logProbs, advantages: [advantage, 0, 0] })
    return grads[0]?.some((g) => g !== 0) ?? false
  }
  expect([gradOf(1, 1.2), gradOf(1, 0.8), gradOf(-1, 1.2), gradOf(-1, 0.8)]).toEqual([false, true, true, false])
})
