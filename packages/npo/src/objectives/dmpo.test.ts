import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { dmpo } from './index.ts'
import { expectCase, Leaves, measurePairs, oracle, pairsOf, says, shape } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('dmpo', {
  objective: dmpo<Tensor>({ beta: 2, alpha: 0.1 }), networks: referred, batch: pairsFrom, opposite: exchanged,
  start: -Math.LN2 - Math.log(0.1 * 0.9) / 2,
  refused: [() => dmpo({ beta: 0 }), () => dmpo({ alpha: 0 }), () => dmpo({ alpha: 0.6 }), () => dmpo({ mu: 1 } as never)],
})

test('loss and gradients are those of the released script', () => {
  const { numbers, expected } = oracle('dmpo')
  expectCase(measurePairs(dmpo({ beta: 1000 }), numbers), expected)
})

test('it is 0, and flat, where a share α of pairs like these would be ranked wrong', () => {
  const leaves = new Leaves()
  const batch = pairsOf(leaves, { noise: Array<number>(96).fill(0) }, [0.9, 0.4, 0.04])
  // Errors whose margin times β/2 is the logit of 1 − α: D_ref − D = 2·ln(0.99/0.01)/β, from errors of the rejected.
  const margin = 2 * Math.log(0.99 / 0.01) / 1000
  const rows = [...Array<number>(96).fill(0.5), ...Array<number>(96).fill(Math.sqrt(0.25 + margin))]
  const own = leaves.of(rows, [6, ...shape.slice(1)])
  const frozen = leaves.of(Array<number>(192).fill(0.5), [6, ...shape.slice(1)])
  const made = dmpo<undefined>({ beta: 1000 }).evaluate({ model: says(own), reference: says(frozen) }, batch)
  const { loss, grads } = leaves.measure(made, [own])
  expect(Math.abs(loss)).toBeLessThan(1e-12)
  expect(Math.max(...(grads[0] ?? [Number.NaN]).map(Math.abs))).toBeLessThan(1e-12)
})
