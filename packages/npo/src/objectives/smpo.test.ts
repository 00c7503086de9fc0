import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { diffusionDpo, negate, pickScorePreference, smpo } from './index.ts'
import { expectCase, Leaves, measurePairs, oracle } from './testing/oracle.ts'
import { pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('smpo', {
  objective: smpo<Tensor>({ beta: 1 }), networks: referred, start: Math.LN2,
  batch: (material) => ({ ...pairsFrom(material), probability: material.each(0.62, 0.55, 0.3) }),
  opposite: (batch) => ({ batch: { ...batch, probability: batch.probability.neg().add(1) } }),
  refused: [() => smpo({ beta: 0 }), () => smpo({} as never), () => smpo({ beta: 1, kappa: 5 } as never)],
})

const { numbers } = oracle('smpo_per_example')
const of = (...p: readonly number[]) => ({ extra: (leaves: Leaves) => ({ probability: leaves.of(p, [3]) }) })

test('loss and gradients are those of its formula, and of the released script with one p for a batch', () => {
  expectCase(measurePairs(smpo({ beta: 1000 }), numbers, of(0.62, 0.55, 0.5)), oracle('smpo_per_example').expected)
  expectCase(measurePairs(smpo({ beta: 1000 }), numbers, of(0.62, 0.62, 0.62)), oracle('smpo_released_batch0').expected)
})

test('with p = 1 it is Diffusion-DPO at ten times β, with p = ½ nothing, and negated the same as on swapped pairs', () => {
  const sure = measurePairs(smpo({ beta: 10 }), numbers, of(1, 1, 1))
  expect(sure.loss).toBeCloseTo(measurePairs(diffusionDpo({ beta: 100 }), numbers).loss, 14)
  const even = measurePairs(smpo({ beta: 1000 }), numbers, of(0.5, 0.5, 0.5))
  expect(even.loss).toBeCloseTo(Math.LN2, 14)
  expect(even.grads.every((g) => g.every((v) => v === 0))).toBe(true)
  const { net_w = [], net_l = [], ref_w = [], ref_l = [] } = numbers
  const swapped = measurePairs(smpo({ beta: 1000 }), { ...numbers, net_w: net_l, net_l: net_w, ref_w: ref_l, ref_l: ref_w },
    of(0.62, 0.55, 0.5))
  const negated = measurePairs(negate(smpo({ beta: 1000 })), numbers, of(0.62, 0.55, 0.5))
  expect(negated.loss).toBeCloseTo(swapped.loss, 10)
  for (const [i, grad] of negated.grads.entries()) {
    expect(largestGap(grad, swapped.grads[1 - i] ?? new Float64Array())).toBeLessThan(1e-10)
  }
})

test('two PickScores make the probability that the released script makes of them', () => {
  const leaves = new Leaves()
  const p = leaves.read(pickScorePreference(leaves.of([0.22, 0.2, 0.19], [3]), leaves.of([0.2, 0.22, 0.19], [3])))
  const scaled = (score: number): number => (score - 0.11543526500463486) / (0.28201571106910706 - 0.11543526500463486)
  const want = Math.exp(scaled(0.22)) / (Math.exp(scaled(0.22)) + Math.exp(scaled(0.2)))
  expect(largestGap(p, Float64Array.of(want, 1 - want, 0.5))).toBeLessThan(1e-14)
})
