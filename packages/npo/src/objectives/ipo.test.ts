import type { Tensor } from '@antipode/core'
import { test } from 'vitest'
import { ipo } from './index.ts'
import { expectCase, measurePairs, oracle } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('ipo', {
  objective: ipo<Tensor>({ beta: 0.5 }), networks: referred, batch: pairsFrom, opposite: exchanged, start: 1,
  refused: [() => ipo({ beta: 0 }), () => ipo({} as never), () => ipo({ beta: 1, tau: 1 } as never)],
})

test.each(['ipo', 'ipo_v'] as const)('loss and gradients are those of the released script: %s', (name) => {
  const { numbers, expected } = oracle(name)
  expectCase(measurePairs(ipo({ beta: 200 }), numbers), expected)
})
