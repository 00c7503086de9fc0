import { ConfigError, constant, ShapeError, tensor, type Tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret, largestGap } from '@antipode/core/testing'
import { ddim } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import { stepCoefficients, stepLevels } from '../../transitions/index.ts'
import { d3po, lpo, lpoThreshold, negate, type PreferenceObjective, type ReferredNetworks, spo, type StepPairBatch, throughGuidance } from '../index.ts'
import { Leaves, type Measured, shape } from '../testing/oracle.ts'
import selection from './testing/pair-selection.golden.json' with { type: 'json' }
import { thresholdBetween } from './lpo.ts'
import { cases, ddimByHand, fixtures, stepsOf } from './testing/steps.ts'

type Pairs = StepPairBatch<undefined>
type Fixture = Readonly<Record<'x_t' | 'x_next_w' | 'x_next_l' | 'alphas_cumprod' | 'alphas_cumprod_prev', readonly number[]>>

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
  objective: PreferenceObjective<Batch, ReferredNetworks<undefined>>, made: (pairs: Pairs, leaves: Leaves) => Batch, swapped = false,
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

const labelled = (preference: readonly number[]) => (pairs: Pairs, leaves: Leaves) => ({ ...pairs, preference: leaves.of(preference, [3]) })

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
    const [one, other] = [measure(lpo<undefined>({ beta: 10 }), (pairs) => pairs), measure(lpo<undefined>(), (pairs) => pairs)]
    expectCase(one, cases.spo.out)
    expect(other).toEqual(measure(spo<undefined>({ beta: 500 }), (pairs) => pairs))
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

const stable = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, clipSample: false, setAlphaToOne: false } as const
const scheduler = ddim({ ...stable, eta: 1 })

test('the threshold of a run spans its own steps', () => {
  const begun = scheduler.begin(5)
  const of = lpoThreshold(scheduler, begun, { low: 0.35, high: 0.5 })
  const all = [0, 1, 2, 3, 4].map((step) => of(stepCoefficients(scheduler, { ...begun, step })))
  expect(Math.min(...all)).toBeCloseTo(0.35, 12)
  expect(Math.max(...all)).toBeCloseTo(0.5, 12)
})

/** A pair of steps of networks in float64, from one sample or two. */
function toy(shared: boolean) {
  const host = new FakeHost()
  const wave = (seed: number, n: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(7 * seed + 3.7 * i * i))
  const leaf = (seed: number): Tensor => tensor(host, wave(seed, 6), [2, 3])
  const begun = scheduler.begin(10)
  const levels = stepLevels(host, [2, 5].map((step) => stepCoefficients(scheduler, { ...begun, step })), 2)
  const sample = leaf(1)
  const parameters = { a: tensor(host, wave(8, 3)), b: tensor(host, wave(9, 3)) }
  const net = ({ a, b }: typeof parameters): Denoiser<Tensor> => (x, t, c) => x.mul(a).add(t.div(1000).unsqueeze(1).mul(b)).add(c).tanh()
  const batch: StepPairBatch<Tensor> = {
    chosen: { ...levels, sample, next: leaf(3) }, rejected: { ...levels, sample: shared ? sample : leaf(1), next: leaf(4) }, condition: leaf(5),
  }
  const other = { a: tensor(host, wave(8, 3).map((v) => v + 0.02)), b: tensor(host, wave(9, 3)) }
  return { host, batch, parameters, networks: { model: net(parameters), reference: net(other) } }
}

test.each([true, false])('gradients are those of differences, also where both sides start from one sample: %s', (shared) => {
  const { host, batch, parameters, networks } = toy(shared)
  const labels = { ...batch, preference: constant(host, [1, -1]) }
  const ways = [spo<Tensor>({ clip: 0.5 }).evaluate(networks, batch), d3po<Tensor>({ beta: 1, clip: 0.5 }).evaluate(networks, labels)]
  for (const { loss } of ways) {
    const gap = gradientGap(loss, parameters)
    expect(gap.relative, JSON.stringify(gap)).toBeLessThan(1e-6)
  }
})

test('one sample or a copy of it are the same, and networks that are one start at ln 2 with no preference', () => {
  const numbers = [true, false].map((shared) => {
    const { batch, networks } = toy(shared)
    return interpret([spo<Tensor>().evaluate(networks, batch).loss])[0]?.[0]
  })
  expect(numbers[0]).toBeCloseTo(numbers[1] ?? Number.NaN, 12)
  const { batch, networks: { model } } = toy(true)
  const { loss, metrics } = spo<Tensor>().evaluate({ model, reference: model }, batch)
  const [start, accuracy] = interpret([loss, metrics['accuracy'] as Tensor])
  expect(start?.[0]).toBeCloseTo(Math.LN2, 14)
  expect(accuracy?.[0]).toBe(0.5)
})

test('negating twice gives the objective again', () => {
  const { batch, networks } = toy(true)
  const of = (o: ReturnType<typeof spo<Tensor>>): number[] => interpret([o.evaluate(networks, batch).loss]).map(([v]) => v as number)
  expect(of(negate(negate(spo<Tensor>())))).toEqual(of(spo<Tensor>()))
  expect(of(negate(spo<Tensor>()))).not.toEqual(of(spo<Tensor>()))
})

test('options out of range, and steps and predictions of another shape, are refused', () => {
  for (const options of [{ beta: 0 }, { clip: 1 }, { clip: -0.1 }, { eps: 0.1 }]) {
    for (const made of [spo, lpo, d3po]) expect(() => made(options as never)).toThrow(ConfigError)
  }
  expect(() => lpoThreshold(scheduler, scheduler.begin(4), { low: 0.5 } as never)).toThrow(ConfigError)
  const { batch, networks } = toy(true)
  const narrow = { ...batch, rejected: { ...batch.rejected, next: batch.rejected.next.slice(1, 0, 1) } }
  expect(() => spo<Tensor>().evaluate(networks, narrow)).toThrow(ShapeError)
  const cut: Denoiser<Tensor> = (x, t, c) => networks.model(x, t, c).slice(1, 0, 1)
  expect(() => spo<Tensor>().evaluate({ ...networks, model: cut }, batch)).toThrow(ShapeError)
})
