import { ConfigError, ShapeError, tensor, type Tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import { ddim } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import { stepCoefficients, stepLevels } from '../../transitions/index.ts'
import {
  d3po, lpo, lpoThreshold, negate, type PreferenceObjective, type ReferredNetworks, spo, type StepPairBatch,
  throughGuidance,
} from '../index.ts'
import { Leaves, type Measured, shape } from '../testing/oracle.ts'
import selection from './testing/pair-selection.golden.json' with { type: 'json' }
import { thresholdBetween } from './lpo.ts'
import { cases, ddimByHand, fixtures, stepsOf } from './testing/steps.ts'
import { type StepMaterial, testStepObjective } from './testing/test-step-objective.ts'

type Pairs = StepPairBatch<undefined>
type FixtureName = 'x_t' | 'x_next_w' | 'x_next_l' | 'alphas_cumprod' | 'alphas_cumprod_prev'
type Fixture = Readonly<Record<FixtureName, readonly number[]>>

/** Three pairs of steps from samples of their own, so that either side has a prediction of its own. */
function pairsFrom(leaves: Leaves, f: Fixture): Pairs {
  const by = ddimByHand(f.alphas_cumprod, f.alphas_cumprod_prev)
  const side = (next: readonly number[]) => stepsOf(leaves, by, leaves.of(f.x_t, shape), next)
  return { chosen: side(f.x_next_w), rejected: side(f.x_next_l), condition: undefined }
}

const both = (leaves: Leaves, chosen: readonly number[], rejected: readonly number[]): Tensor =>
  leaves.of([...chosen, ...rejected], [6, ...shape.slice(1)])

/** What an objective makes of the fixture; gradients by the predictions of the chosen half and of the rejected one. */
function measure<Batch extends Pairs>(
  objective: PreferenceObjective<Batch, ReferredNetworks<undefined>>, made: (pairs: Pairs, leaves: Leaves) => Batch,
  swapped = false,
): Measured {
  const leaves = new Leaves()
  const f = fixtures.step
  const pairs = pairsFrom(leaves, f)
  const own = swapped ? both(leaves, f.eps_l, f.eps_w) : both(leaves, f.eps_w, f.eps_l)
  const frozen = both(leaves, f.eps_ref, f.eps_ref)
  const { grads: [grad = new Float64Array()], ...rest } = leaves.measure(
    objective.evaluate({ model: () => own, reference: () => frozen }, made(pairs, leaves)), [own],
  )
  const halves = [grad.slice(0, 96), grad.slice(96)]
  return { ...rest, grads: swapped ? halves.reverse() : halves }
}

interface Expected {
  readonly loss: number
  readonly grads: Readonly<Record<string, readonly number[]>>
}

function expectCase(got: Measured, { loss, grads }: Expected): void {
  expect(Math.abs(got.loss / loss - 1)).toBeLessThan(1e-8)
  for (const [i, values] of Object.values(grads).entries()) {
    const want = Float64Array.from(values)
    const size = Math.max(...want.map(Math.abs))
    expect(largestGap(want, got.grads[i] ?? []) / (size || 1)).toBeLessThan(1e-8)
  }
}

const labelled = (preference: readonly number[]) => (pairs: Pairs, leaves: Leaves) =>
  ({ ...pairs, preference: leaves.of(preference, [3]) })

describe('on the released scripts\' numbers', () => {
  test('SPO has their loss and gradients, and counts what is clipped by direction', () => {
    const got = measure(spo<undefined>(), (pairs) => pairs)
    expectCase(got, cases.spo.out)
    // Ratios 1.08, 1.16, 0.71 of the chosen and 0.92, 0.97, 0.67 of the rejected: one of either is too low.
    const { accuracy, ...shares } = got.metrics
    expect(accuracy).toBe(1)
    expect(shares).toEqual({ chosenAbove: 1 / 3, chosenBelow: 1 / 3, rejectedAbove: 0, rejectedBelow: 1 / 3 })
    const [won] = got.grads as [Float64Array, Float64Array]
    expect(won.slice(32).every((g) => g === 0)).toBe(true)
  })

  test('negated, SPO has those of swapped pairs', () => {
    expectCase(measure(negate(spo<undefined>()), (pairs) => pairs, true), cases.spo_npo_swap.out)
  })

  test('D3PO has theirs, with ties', () => {
    const labels = cases.d3po.params.human_prefer.filter((_, i) => i % 2 === 0)
    expectCase(measure(d3po<undefined>(), labelled(labels)), cases.d3po.out)
    const opposite = measure(negate(d3po<undefined>()), labelled(labels.map((l) => -l)))
    expectCase(opposite, cases.d3po.out)
  })

  test('LPO is SPO with another temperature', () => {
    const of = (objective: ReturnType<typeof lpo<undefined>>): Measured => measure(objective, (pairs) => pairs)
    expectCase(of(lpo<undefined>({ beta: 10 })), cases.spo.out)
    expect(of(lpo<undefined>())).toEqual(of(spo<undefined>({ beta: 500 })))
    expect([lpo().name, negate(lpo()).name]).toEqual(['lpo', 'negated lpo'])
  })

  test('through guidance SPO has theirs on the negative branch, where the pair is not swapped', () => {
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

  test('thresholds of LPO are linear in the deviation', () => {
    const { lpo_sigma_table: table, lpo_threshold_min: low, lpo_threshold_max: high, timesteps } = selection.params
    const of = thresholdBetween(Math.min(...table), Math.max(...table), low, high)
    // The table is of timesteps 1, 51, …, 951.
    const got = timesteps.map((t) => of({ deviation: table[(t - 1) / 50] as number }))
    got.forEach((value, i) => { expect(value).toBeCloseTo(selection.out.lpo_threshold[i]!, 9) })
  })
})

const stable = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 } as const
const scheduler = ddim({ ...stable, eta: 1, clipSample: false, setAlphaToOne: false })

test('the threshold of a run spans its own steps', () => {
  const begun = scheduler.begin(5)
  const of = lpoThreshold(scheduler, begun, { low: 0.35, high: 0.5 })
  const all = [0, 1, 2, 3, 4].map((step) => of(stepCoefficients(scheduler, { ...begun, step })))
  expect(Math.min(...all)).toBeCloseTo(0.35, 12)
  expect(Math.max(...all)).toBeCloseTo(0.5, 12)
})

/** Pairs of steps from one sample, and from samples of their own. */
const shared = ({ begin, step, condition }: StepMaterial): StepPairBatch<Tensor> => {
  const begun = begin()
  return { chosen: step(begun), rejected: step(begun), condition }
}
const apart = ({ begin, step, condition }: StepMaterial): StepPairBatch<Tensor> =>
  ({ chosen: step(begin()), rejected: step(begin()), condition })
const exchanged = (batch: StepPairBatch<Tensor>) =>
  ({ batch: { ...batch, chosen: batch.rejected, rejected: batch.chosen } })
const refusedBy = (made: (options: never) => unknown) =>
  [{ beta: 0 }, { clip: 1 }, { clip: -0.1 }, { eps: 0.1 }].map((options) => () => made(options as never))
const held = { opposite: exchanged, start: Math.LN2, unread: ['elapsed'] }

for (const [name, batch] of Object.entries({ shared, apart })) {
  testStepObjective(`spo, from samples that are ${name}`, {
    ...held, objective: spo<Tensor>({ clip: 0.9 }), batch, refused: refusedBy(spo),
  })
}
testStepObjective('lpo', { ...held, objective: lpo<Tensor>({ beta: 5, clip: 0.9 }), batch: shared, refused: refusedBy(lpo) })
testStepObjective('d3po', {
  ...held, objective: d3po<Tensor>({ beta: 1, clip: 0.9 }), refused: refusedBy(d3po),
  batch: (material) => ({ ...apart(material), preference: material.each(1, -1, 0) }),
  opposite: (batch) => ({ batch: { ...batch, preference: batch.preference.neg() } }),
})
testStepObjective('spo through guidance', {
  ...held, batch: shared, refused: [],
  objective: throughGuidance<StepPairBatch<Tensor>, Tensor, ReferredNetworks<Tensor>>(spo({ clip: 0.9 }), {
    positive: (x, _, c) => x.mul(0.3).sub(c).tanh(), unconditional: (c) => c.mul(0), scale: 1.5,
  }),
})

test('one sample or a copy of it are the same', () => {
  const host = new FakeHost()
  const leaf = (values: readonly number[]): Tensor => tensor(host, values, [2, 1])
  const begun = scheduler.begin(10)
  const levels = stepLevels(host, [2, 5].map((step) => stepCoefficients(scheduler, { ...begun, step })), 2)
  const sample = leaf([0.3, -1])
  const lossOf = (other: Tensor): Float64Array | undefined => interpret([spo<undefined>().evaluate(
    { model: (x) => x.mul(0.5), reference: (x) => x.mul(0.49) },
    { chosen: { ...levels, sample, next: leaf([0.2, -0.8]) }, rejected: { ...levels, sample: other, next: leaf([0.5, -0.9]) }, condition: undefined },
  ).loss])[0]
  expect(lossOf(leaf([0.3, -1]))).toEqual(lossOf(sample))
})

test('thresholds of which one is missing, and steps of another shape, are refused', () => {
  expect(() => lpoThreshold(scheduler, scheduler.begin(4), { low: 0.5 } as never)).toThrow(ConfigError)
  const leaves = new Leaves()
  const pairs = pairsFrom(leaves, fixtures.step)
  const narrow = { ...pairs, rejected: { ...pairs.rejected, next: pairs.rejected.next.slice(1, 0, 1) } }
  const model = (): Tensor => pairs.chosen.sample
  expect(() => spo<undefined>().evaluate({ model, reference: model }, narrow)).toThrow(ShapeError)
})
