import { ShapeError, tensor, type Tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { ddim } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { stepCoefficients, stepLevels } from '../../transitions/index.ts'
import { negate, spo } from '../index.ts'
import { Leaves } from '../testing/oracle.ts'
import { apart, expectCase, held, measure, pairsFrom, refusedBy, shared } from './testing/measure-pairs.ts'
import { cases, fixtures } from './testing/steps.ts'
import { testStepObjective } from './testing/test-step-objective.ts'

for (const [name, batch] of Object.entries({ shared, apart })) {
  testStepObjective(`spo, from samples that are ${name}`, {
    ...held, objective: spo<Tensor>({ clip: 0.9 }), batch, refused: refusedBy(spo),
  })
}

test('loss and gradients are the released script\'s, and what is clipped is counted by direction', () => {
  const got = measure(spo<undefined>(), (pairs) => pairs)
  expectCase(got, cases.spo.out)
  // Ratios 1.08, 1.16, 0.71 of the chosen and 0.92, 0.97, 0.67 of the rejected: one of either is too low.
  const { accuracy, ...shares } = got.metrics
  expect(accuracy).toBe(1)
  expect(shares).toEqual({ chosenAbove: 1 / 3, chosenBelow: 1 / 3, rejectedAbove: 0, rejectedBelow: 1 / 3 })
  const [won] = got.grads as [Float64Array, Float64Array]
  expect(won.slice(32).every((g) => g === 0)).toBe(true)
})

test('negated, they are those of swapped pairs', () => {
  expectCase(measure(negate(spo<undefined>()), (pairs) => pairs, true), cases.spo_npo_swap.out)
})

test('one sample or a copy of it are the same', () => {
  const host = new FakeHost()
  const leaf = (values: readonly number[]): Tensor => tensor(host, values, [2, 1])
  const scheduler = ddim({ eta: 1, clipSample: false, setAlphaToOne: false })
  const begun = scheduler.begin(10)
  const levels = stepLevels(host, [2, 5].map((step) => stepCoefficients(scheduler, { ...begun, step })), 2)
  const sample = leaf([0.3, -1])
  const lossOf = (other: Tensor): Float64Array | undefined => interpret([spo<undefined>().evaluate(
    { model: (x) => x.mul(0.5), reference: (x) => x.mul(0.49) },
    { chosen: { ...levels, sample, next: leaf([0.2, -0.8]) }, rejected: { ...levels, sample: other, next: leaf([0.5, -0.9]) }, condition: undefined },
  ).loss])[0]
  expect(lossOf(leaf([0.3, -1]))).toEqual(lossOf(sample))
})

test('steps of another shape are refused', () => {
  const leaves = new Leaves()
  const pairs = pairsFrom(leaves, fixtures.step)
  const narrow = { ...pairs, rejected: { ...pairs.rejected, next: pairs.rejected.next.slice(1, 0, 1) } }
  const model = (): Tensor => pairs.chosen.sample
  expect(() => spo<undefined>().evaluate({ model, reference: model }, narrow)).toThrow(ShapeError)
})
