import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { diffusionKto, negate, unpaired } from './index.ts'
import { measurePairs, oracle } from './testing/oracle.ts'
import { pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('diffusion-kto on pairs', {
  objective: unpaired(diffusionKto<Tensor>({ beta: 1 })), networks: referred, batch: pairsFrom, start: 0.5,
  opposite: (batch) => ({ objective: unpaired(negate(diffusionKto<Tensor>({ beta: 1 }))), batch }), refused: [],
})

test('samples of pairs that swap are samples whose labels turn over', () => {
  const { numbers } = oracle('dpo_sf')
  const { net_w = [], net_l = [], ref_w = [], ref_l = [] } = numbers
  const objective = unpaired(diffusionKto<undefined>())
  const swapped = measurePairs(objective, { ...numbers, net_w: net_l, net_l: net_w, ref_w: ref_l, ref_l: ref_w })
  expect(measurePairs(negate(objective), numbers).loss).toBeCloseTo(swapped.loss, 12)
})
