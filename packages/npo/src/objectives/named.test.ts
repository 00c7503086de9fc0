import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { pairObjectiveNames, pairObjectiveOf } from './index.ts'
import { measurePairs, oracle } from './testing/oracle.ts'

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
