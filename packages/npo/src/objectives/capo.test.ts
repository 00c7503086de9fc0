import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { sigmoidSnr } from '../process/index.ts'
import { capo } from './index.ts'
import { alphaBars, expectCase, type Leaves, measurePairs, oracle } from './testing/oracle.ts'
import { pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('capo', {
  objective: capo<Tensor>({ beta: 0.5 }), networks: referred, start: (0.5 ** 2 + 0.125 ** 2 + 0.75 ** 2) / 3,
  batch: (material) => ({
    ...pairsFrom(material), chosenReward: material.each(0.75, 0.625, 0.875),
    rejectedReward: material.each(0.25, 0.5, 0.125),
  }),
  opposite: ({ chosenReward, rejectedReward, ...pairs }) => ({
    batch: { ...pairs, chosenReward: chosenReward.neg().add(1), rejectedReward: rejectedReward.neg().add(1) },
  }),
  refused: [() => capo({ beta: 0 }), () => capo({} as never), () => capo({ beta: 1, bias: 1 } as never)],
})

test('loss and gradients are those of its formula, with the weights of the paper', () => {
  const { numbers, expected } = oracle('capo')
  const extra = (leaves: Leaves): { chosenReward: Tensor; rejectedReward: Tensor } => ({
    chosenReward: leaves.of([0.7, 0.6, 0.9], [3]), rejectedReward: leaves.of([0.3, 0.5, 0.2], [3]),
  })
  expectCase(measurePairs(capo({ beta: 30 }), numbers, { extra, weight: sigmoidSnr(1), alphaBars }), expected)
  expect(sigmoidSnr(1)({ signal: Math.sqrt(0.5), noise: Math.sqrt(0.5) }, 'epsilon')).toBeCloseTo(1 / (1 + Math.exp(-1)), 14)
})
