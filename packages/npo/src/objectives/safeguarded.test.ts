import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { diffusionDpo, dmpo, safeguarded } from './index.ts'
import { expectCase, measurePairs, oracle } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

const dpo = diffusionDpo<undefined>({ beta: 1000 })

testObjective('safeguarded diffusion-dpo', {
  objective: safeguarded(diffusionDpo<Tensor>({ beta: 2 }), { share: 0.5 }), networks: referred, batch: pairsFrom,
  opposite: exchanged, start: Math.LN2,
  refused: [
    () => safeguarded(dpo, { share: -0.1 }), () => safeguarded(dpo, { share: 1.1 }),
    () => safeguarded(dpo, { mu: 0.5 } as never),
  ],
})
testObjective('safeguarded dmpo', {
  objective: safeguarded(dmpo<Tensor>({ beta: 2, alpha: 0.1 })), networks: referred, batch: pairsFrom, opposite: exchanged,
  refused: [],
})

test.each([['sdpo_mu0', 0], ['sdpo_mu0_corr', 0], ['sdpo_mu0.9', 0.9], ['sdpo_mu0.9_corr', 0.9]] as const)(
  'loss and gradients are those of the released script: %s', (name, share) => {
    const { numbers, expected } = oracle(name)
    expectCase(measurePairs(safeguarded(dpo, { share }), numbers), expected)
  })

test('of Diffusion-DPO it moves nothing but the slopes of rejected samples, by one factor', () => {
  const { numbers, expected } = oracle('dpo_sf_corr')
  const plain = measurePairs(dpo, numbers)
  expectCase(plain, expected)
  const guarded = measurePairs(safeguarded(dpo), numbers)
  expect([guarded.loss, guarded.metrics, guarded.grads[0]]).toEqual([plain.loss, plain.metrics, plain.grads[0]])
  const [own, scaled] = [plain.grads[1] ?? new Float64Array(), guarded.grads[1] ?? new Float64Array()]
  const factor = scaled[0]! / own[0]!
  expect(factor).toBeGreaterThan(0)
  expect(factor).toBeLessThan(1)
  expect(largestGap(own.map((g) => g * factor), scaled)).toBeLessThan(1e-14)
})
