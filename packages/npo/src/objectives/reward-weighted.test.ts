import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { denoising, negate, rewardWeighted, type RewardWeightedOptions } from './index.ts'
import { alphaBars, type Case, expectCase, Leaves, type Measured, oracle, pairsOf, says, shape } from './testing/oracle.ts'
import { alone, testObjective } from './testing/test-objective.ts'

for (const weighting of ['softmax', 'exponential'] as const) {
  testObjective(`reward-weighted by ${weighting}`, {
    objective: rewardWeighted<Tensor>({ temperature: 0.5, weighting }), networks: alone,
    batch: ({ draw, condition, samples, each }) => ({
      ...draw, condition, samples: samples(), rewards: each(0.25, -0.5, 0.75),
    }),
    opposite: (batch) => ({ batch: { ...batch, rewards: batch.rewards.neg() } }),
    refused: [
      () => rewardWeighted({ temperature: 0 }), () => rewardWeighted({} as never),
      () => rewardWeighted({ temperature: 1, weighting: 'rank' as never }),
    ],
  })
}

function measure(name: Case, rewards: readonly number[], options: RewardWeightedOptions, negated = false): Measured {
  const { numbers } = oracle(name)
  const leaves = new Leaves()
  const { chosen, ...batch } = pairsOf(leaves, numbers, alphaBars)
  const own = leaves.of(numbers['net_w'] ?? [], shape)
  const plain = rewardWeighted<undefined>(options)
  const objective = negated ? negate(plain) : plain
  const scored = { ...batch, samples: chosen, rewards: leaves.of(rewards, [3]) }
  return leaves.measure(objective.evaluate({ model: says(own) }, scored), [own])
}

test('loss and gradients are those of its formulas', () => {
  const rewards = [0.2, -0.4, 0.9]
  const exponential = { temperature: 0.5, weighting: 'exponential' } as const
  expectCase(measure('rwr_exp', rewards, exponential), oracle('rwr_exp').expected, ['net_w'])
  expectCase(measure('rwr_softmax', rewards, { temperature: 0.5 }), oracle('rwr_softmax').expected, ['net_w'])
  expectCase(measure('rwr_npo', rewards, { temperature: 0.5 }, true), oracle('rwr_npo').expected, ['net_w'])
})

test('equal rewards are plain denoising, whatever they are', () => {
  const { numbers } = oracle('sft')
  const leaves = new Leaves()
  const { chosen, ...batch } = pairsOf(leaves, numbers, alphaBars)
  const own = leaves.of(numbers['net_w'] ?? [], shape)
  const plain = leaves.measure(denoising<undefined>().evaluate({ model: says(own) }, { ...batch, samples: chosen }), [own])
  expect(measure('sft', [7, 7, 7], { temperature: 0.1 }).loss).toBeCloseTo(plain.loss, 14)
})
