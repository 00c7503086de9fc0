import type { Tensor } from '@antipode/core'
import { test } from 'vitest'
import { d3po, negate } from '../index.ts'
import type { Leaves } from '../testing/oracle.ts'
import { apart, expectCase, held, measure, type Pairs, refusedBy } from './testing/measure-pairs.ts'
import { cases } from './testing/steps.ts'
import { testStepObjective } from './testing/test-step-objective.ts'

testStepObjective('d3po', {
  ...held, objective: d3po<Tensor>({ beta: 1, clip: 0.9 }), refused: refusedBy(d3po),
  batch: (material) => ({ ...apart(material), preference: material.each(1, -1, 0) }),
  opposite: (batch) => ({ batch: { ...batch, preference: batch.preference.neg() } }),
})

const labelled = (preference: readonly number[]) => (pairs: Pairs, leaves: Leaves) =>
  ({ ...pairs, preference: leaves.of(preference, [3]) })

test('loss and gradients are the released script\'s, with ties', () => {
  const labels = cases.d3po.params.human_prefer.filter((_, i) => i % 2 === 0)
  expectCase(measure(d3po<undefined>(), labelled(labels)), cases.d3po.out)
  const opposite = measure(negate(d3po<undefined>()), labelled(labels.map((l) => -l)))
  expectCase(opposite, cases.d3po.out)
})

