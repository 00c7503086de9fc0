import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { hinge } from './index.ts'
import { expectCase, measurePairs, oracle } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('hinge', {
  objective: hinge<Tensor>({ beta: 0.5 }), networks: referred, batch: pairsFrom, opposite: exchanged, start: 1,
  refused: [() => hinge({ beta: -1 }), () => hinge({} as never), () => hinge({ beta: 1, margin: 1 } as never)],
})

test.each(['hinge', 'hinge_v'] as const)('loss and gradients are those of the released script: %s', (name) => {
  const { numbers, expected } = oracle(name)
  const got = measurePairs(hinge({ beta: 300 }), numbers)
  expectCase(got, expected)
  // Pairs ranked right by more than 1/β have no slope.
  const done = (expected.per_example ?? []).map((loss) => loss === 0)
  expect(done).toContain(true)
  for (const grad of got.grads) {
    const still = done.map((_, i) => grad.slice(32 * i, 32 * (i + 1)).every((g) => g === 0))
    expect(still).toEqual(done)
  }
})
