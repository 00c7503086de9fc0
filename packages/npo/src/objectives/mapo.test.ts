import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { mapo, negate } from './index.ts'
import { alphaBars, expectCase, Leaves, measurePairs, oracle, pairsOf, shape } from './testing/oracle.ts'
import { alone, exchanged, pairsFrom, testObjective } from './testing/test-objective.ts'

testObjective('mapo', {
  objective: mapo<Tensor>({ trainSteps: 2 }), networks: alone, batch: pairsFrom, opposite: exchanged,
  refused: [
    () => mapo({ beta: 0 }), () => mapo({ snr: -1 }), () => mapo({ trainSteps: Infinity }), () => mapo({ T: 1000 } as never),
  ],
})

test.each(['mapo', 'mapo_v'] as const)('loss and gradients are those of the released script: %s', (name) => {
  const { numbers, expected } = oracle(name)
  expectCase(measurePairs(mapo(), numbers), expected)
})

test('negated, it is the objective on swapped pairs: it learns the rejected samples', () => {
  const { numbers } = oracle('mapo')
  const swapped = { ...numbers, net_w: numbers['net_l'] ?? [], net_l: numbers['net_w'] ?? [] }
  const plain = measurePairs(mapo<undefined>(), swapped)
  const negated = measurePairs(negate(mapo<undefined>()), numbers, { swapped: true })
  expect(negated.loss).toBe(plain.loss)
  expect(negated.grads).toEqual([plain.grads[1], plain.grads[0]])
  expect(negate(negate(mapo())).name).toBe('mapo')
})

test('errors of any size have the loss of its formula: h is 1 at 0, falls by half of s·m, and ends at 0', () => {
  for (const [m, other] of [[0, 0], [1e-6, 2e-6], [0.5, 0.1], [1.9999, 2.0001], [3, 2.5], [40, 10]] as const) {
    const leaves = new Leaves()
    // Predictions off by √m everywhere.
    const { noise, ...batch } = pairsOf(leaves, { target: Array<number>(96).fill(0) }, alphaBars)
    const all = [m, other].flatMap((error) => Array<number>(96).fill(Math.sqrt(error)))
    const prediction = leaves.of(all, [6, ...shape.slice(1)])
    const made = mapo<undefined>().evaluate({ model: () => prediction }, { ...batch, noise })
    const { loss, grads } = leaves.measure(made, [prediction])
    const h = (v: number): number => (v === 0 ? 0 : (v - Math.expm1(v)) / Math.expm1(v))
    const odds = 1000 * (h(0.5 * m) - h(0.5 * other))
    const want = m + 0.1 * (Math.max(0, -odds) + Math.log1p(Math.exp(-Math.abs(odds))))
    // From the formula, differences of 10⁻⁶ keep ten digits of sixteen.
    expect(loss, `${m} and ${other}`).toBeCloseTo(want, 6)
    expect(grads[0]?.every(Number.isFinite)).toBe(true)
  }
})
