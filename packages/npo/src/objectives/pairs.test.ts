import type { Tensor } from '@antipode/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LossAndMetrics, negate, type PairBatch, pairObjective, type ReferredNetworks, swapPair } from './index.ts'

// Objectives only pass tensors on here, so names can stand for them.
const named = (name: string): Tensor => name as unknown as Tensor
const batchOf = (name: string): PairBatch<undefined> => ({
  predictionType: 'epsilon', chosen: named(`${name} chosen`), rejected: named(`${name} rejected`), noise: named('ε'), alpha: named('√ᾱ'),
  sigma: named('√(1−ᾱ)'), timesteps: named('t'), condition: undefined,
})
const networks = { model: () => named('model'), reference: () => named('reference') }
const seen: unknown[] = []
const objective = pairObjective<undefined, ReferredNetworks<undefined>>('spy', (given, batch): LossAndMetrics => {
  seen.push(given, batch)
  return { loss: batch.chosen, metrics: {} }
})

test('swapping a pair twice gives the pair, and swapping once moves nothing but the pair', () => {
  fc.assert(fc.property(fc.string(), (name) => {
    const batch = batchOf(name)
    expect(swapPair(swapPair(batch))).toEqual(batch)
    expect(swapPair(batch)).toEqual({ ...batch, chosen: batch.rejected, rejected: batch.chosen })
  }))
})

test('a negated objective is the objective on swapped pairs, and negating twice undoes it', () => {
  const batch = batchOf('a')
  seen.length = 0
  expect(negate(objective).evaluate(networks, batch)).toEqual(objective.evaluate(networks, swapPair(batch)))
  expect(negate(negate(objective)).evaluate(networks, batch)).toEqual(objective.evaluate(networks, batch))
  expect(negate(negate(negate(objective))).evaluate(networks, batch).loss).toBe(batch.rejected)
  expect(seen.filter((x) => x === networks)).toHaveLength(5)
})

test('names say how often an objective was negated', () => {
  expect([objective, negate(objective), negate(negate(objective))].map((o) => o.name)).toEqual(['spy', 'negated spy', 'spy'])
})
