import { ConfigError, type Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { diffusionKto, negate, pairObjectiveNames, pairObjectiveOf } from './index.ts'
import { measurePairs, oracle } from './testing/oracle.ts'
import { pairsFrom, referred, testObjective } from './testing/test-objective.ts'
import { unpaired } from './unpaired.ts'

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

test('every name is an objective on pairs that moves the model, with a β of its own', () => {
  const { numbers } = oracle('dpo_sf')
  for (const name of pairObjectiveNames) {
    const { loss, grads } = measurePairs(pairObjectiveOf(name), numbers)
    expect(Number.isFinite(loss), name).toBe(true)
    expect(grads.some((half) => half.some((g) => g !== 0)), name).toBe(true)
  }
})

test('another β is taken, and refused by what has none', () => {
  const { numbers } = oracle('dpo_sf')
  const lossOf = (beta: number): number => measurePairs(pairObjectiveOf('dpo', { beta }), numbers).loss
  expect(lossOf(2000)).toBe(measurePairs(pairObjectiveOf('dpo'), numbers).loss)
  expect(lossOf(10)).not.toBe(lossOf(2000))
  for (const call of [
    () => pairObjectiveOf('sft', { beta: 1 }), () => pairObjectiveOf('dpo', { beta: 0 }),
    () => pairObjectiveOf('orpo' as never), () => pairObjectiveOf('ipo', { tau: 1 } as never),
  ]) expect(call).toThrow(ConfigError)
})
