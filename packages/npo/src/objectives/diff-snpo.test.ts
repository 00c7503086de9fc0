import { ShapeError, type Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { branchPairs, diffSnpo, diffusionDpo } from './index.ts'
import { expectCase, Leaves, measurePairs, type Numbers, oracle, sizeOfEach } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('diff-snpo', {
  objective: diffSnpo<Tensor>({ beta: 1 }), networks: referred, batch: pairsFrom, opposite: exchanged, start: Math.LN2,
  refused: [
    () => diffSnpo({ beta: 0 }), () => diffSnpo({} as never), () => diffSnpo({ beta: 1, lambda: 1 }),
    () => diffSnpo({ beta: 1, lambda: -0.1 }), () => diffSnpo({ beta: 1, coin: 1 } as never),
  ],
})

const { numbers, expected } = oracle('diff_snpo')
const coins = [1, 0, 1]

/** The rows of pairs whose coin shows 0 exchanged between two arrays. */
function tossed<A extends ArrayLike<number>>(heads: A, tails: A): number[] {
  return Array.from(heads, (v, i) => (coins[Math.floor(i / sizeOfEach)] === 1 ? v : tails[i] ?? Number.NaN))
}

test('loss and gradients are those of its formula, with the prompt where the coin shows 1 and without it, swapped, elsewhere', () => {
  const { net_w: w = [], net_l: l = [], ref_w: rw = [], ref_l: rl = [] } = numbers
  const given: Numbers = { ...numbers, net_w: tossed(w, l), net_l: tossed(l, w), ref_w: tossed(rw, rl), ref_l: tossed(rl, rw) }
  const { grads: [first, second], ...rest } = measurePairs(diffSnpo({ beta: 400 }), given)
  const [a, b] = [first ?? new Float64Array(), second ?? new Float64Array()]
  expectCase({ ...rest, grads: [tossed(a, b), tossed(b, a)].map((g) => Float64Array.from(g)) }, expected)
})

test('the rejected side has an end: pushed without bound, it counts −log(1 − λ) and no more', () => {
  const { net_l: l = [] } = numbers
  const lossAt = (push: number): number =>
    measurePairs(diffSnpo({ beta: 0.1 }), { ...numbers, net_l: l.map((v) => v + push) }).loss
  expect(lossAt(100)).toBeCloseTo(lossAt(200), 12)
  const unbounded = (push: number): number =>
    measurePairs(diffusionDpo({ beta: 0.1 }), { ...numbers, net_l: l.map((v) => v + push) }).loss
  expect(unbounded(5)).not.toBeCloseTo(unbounded(10), 1)
})

test('coins exchange samples and take the condition away, by row', () => {
  const leaves = new Leaves()
  const of = (...values: readonly number[]): Tensor => leaves.of(values, [3, 1])
  const [chosen, rejected, noise, rejectedNoise] = [of(1, 2, 3), of(-1, -2, -3), of(4, 5, 6), of(7, 8, 9)]
  const pairs = {
    predictionType: 'epsilon' as const, timesteps: leaves.of([1, 2, 3], [3]), alpha: of(1, 1, 1), sigma: of(1, 1, 1),
    noise, rejectedNoise, chosen, rejected, condition: { text: of(10, 20, 30), pooled: of(11, 21, 31) },
  }
  const empty = { text: of(0, 0, 0), pooled: of(0.5, 0.5, 0.5) }
  const made = branchPairs(pairs, leaves.of(coins, [3]), empty)
  const read = (t: Tensor | undefined): number[] => (t ? [...leaves.read(t)] : [])
  expect([made.chosen, made.rejected, made.noise, made.rejectedNoise].map(read))
    .toEqual([[1, -2, 3], [-1, 2, -3], [4, 8, 6], [7, 5, 9]])
  expect([made.condition.text, made.condition.pooled].map(read)).toEqual([[10, 0, 30], [11, 0.5, 31]])
  expect(() => branchPairs(pairs, leaves.of([1], [1]), empty)).toThrow(ShapeError)
})
