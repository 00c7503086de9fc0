import { ConfigError, embedding, NumericError, type Tensor } from '@antipode/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffusionDpo } from '../objectives/index.ts'
import { expectCase, Leaves, type Numbers, oracle } from '../objectives/testing/oracle.ts'
import { bestOfN, calibratedRewards, judgedPairs, paretoPairs } from './index.ts'

test.each([['ties_drop', 'drop'], ['ties_keep_as_jpg0', 'first']] as const)('ties are dealt with as %s says', (name, ties) => {
  const { numbers, expected } = oracle(name)
  // The fixture's chosen and rejected arrays are first and second pictures; judgements as it has them.
  const pairs = judgedPairs([1, 0.5, 0], { ties })
  const leaves = new Leaves()
  const all = leaves.of(interleaved(numbers, 'net'), [6, 2, 4, 4])
  const before = leaves.of(interleaved(numbers, 'ref'), [6, 2, 4, 4])
  const count = pairs.length
  const picked = (of: Tensor): Tensor => {
    const rows = [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)]
    return embedding(of, leaves.of(rows, [2 * count]).to('i32'))
  }
  const target = numbers['target'] ?? []
  const noise = pairs.flatMap(({ chosen }) => target.slice(32 * (chosen >> 1), 32 * ((chosen >> 1) + 1)))
  const zeros = leaves.of(Array<number>(32 * count).fill(0), [count, 2, 4, 4])
  const batch = {
    predictionType: 'epsilon' as const, condition: undefined, timesteps: leaves.of(Array<number>(count).fill(1), [count]),
    alpha: leaves.of([1], [1, 1, 1, 1]), sigma: leaves.of([1], [1, 1, 1, 1]),
    noise: leaves.of(noise, [count, 2, 4, 4]), chosen: zeros, rejected: zeros,
  }
  const networks = { model: () => picked(all), reference: () => picked(before) }
  const { grads: [grad = new Float64Array()], ...rest } =
    leaves.measure(diffusionDpo<undefined>({ beta: 1000 }).evaluate(networks, batch), [all])
  const side = (k: number): Float64Array => grad.filter((_, i) => (i >> 5) % 2 === k)
  expectCase({ ...rest, grads: [side(0), side(1)] }, expected)
})

/** First and second pictures of the pairs in turn. */
function interleaved(numbers: Numbers, network: string): number[] {
  const [first = [], second = []] = [numbers[`${network}_w`], numbers[`${network}_l`]]
  return [0, 1, 2].flatMap((i) => [first, second].flatMap((all) => all.slice(32 * i, 32 * (i + 1))))
}

test('judgements that are none are refused, and so are ties that nobody knows', () => {
  expect(() => judgedPairs([0.7])).toThrow(ConfigError)
  expect(() => judgedPairs([Number.NaN])).toThrow(ConfigError)
  expect(() => judgedPairs([1], { ties: 'second' as never })).toThrow(ConfigError)
})

test('of n samples the best and the worst are a pair, unless they are as good as each other', () => {
  expect(bestOfN([3, 1, 2, 5, 5, 5, 0, 0.25, 0.125], { candidates: 3 }))
    .toEqual([{ chosen: 0, rejected: 1 }, { chosen: 7, rejected: 6 }])
  expect(bestOfN([3, 1, 2, 5, 5, 5, 0, 0.25, 0.125], { candidates: 3, tie: 0.25 })).toEqual([{ chosen: 0, rejected: 1 }])
  expect(() => bestOfN([1, 2, 3], { candidates: 2 })).toThrow(ConfigError)
  expect(() => bestOfN([1, 2], { candidates: 1 })).toThrow(ConfigError)
  expect(() => bestOfN([1, Number.NaN], { candidates: 2 })).toThrow(NumericError)
})

test('calibrated rewards are probabilities of winning: ½ on average, ordered as rewards, and 1 − Rc for −R', () => {
  const rewards = [0.5, -1, 2, 0.5, 7, 7, 7, 7]
  const calibrated = calibratedRewards(rewards, { candidates: 4 })
  const sigma = (x: number): number => 1 / (1 + Math.exp(-x))
  expect(calibrated[0]).toBeCloseTo((sigma(1.5) + sigma(-1.5) + sigma(0)) / 3, 14)
  expect([...calibrated.slice(4)]).toEqual([0.5, 0.5, 0.5, 0.5])
  expect(calibrated.slice(0, 4).reduce((a, b) => a + b) / 4).toBeCloseTo(0.5, 14)
  const reversed = calibratedRewards(rewards.map((r) => -r), { candidates: 4 })
  for (const [i, rc] of calibrated.entries()) expect(reversed[i]).toBeCloseTo(1 - rc, 14)
  expect(() => calibratedRewards([1, 2, 3], { candidates: 2 })).toThrow(ConfigError)
})

test('pairs of Pareto frontiers win in every reward, against samples that win nowhere', () => {
  // The first is best in both, the last worst in both; the others are between.
  const rewards = { look: [3, 2, 1, 0], text: [3, 1, 2, 0] }
  expect(paretoPairs(rewards, { candidates: 4 })).toEqual([{ chosen: 0, rejected: 3 }])
  // Nobody beats anybody.
  expect(paretoPairs({ look: [1, 0], text: [0, 1] }, { candidates: 2 })).toEqual([])
  const some = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 6 })
  fc.assert(fc.property(some, some, (look, text) => {
    for (const { chosen, rejected } of paretoPairs({ look, text }, { candidates: 6 })) {
      expect(look[chosen]! >= look[rejected]! && text[chosen]! >= text[rejected]!).toBe(true)
      expect(look.some((l, i) => l > look[chosen]! && text[i]! > text[chosen]!)).toBe(false)
      expect(look.some((l, i) => l < look[rejected]! && text[i]! < text[rejected]!)).toBe(false)
    }
  }))
  expect(() => paretoPairs({}, { candidates: 2 })).toThrow(ConfigError)
  expect(() => paretoPairs({ a: [1, 2], b: [1, 2, 3, 4] }, { candidates: 2 })).toThrow(ConfigError)
})
