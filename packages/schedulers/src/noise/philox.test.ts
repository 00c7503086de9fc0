import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SchedulerError } from '../errors.ts'
import { philox } from './philox.ts'
import golden from './philox.golden.json' with { type: 'json' }

const drawn = (seed: number, stream: number, count: number, from: number = 0): number[] => [
  ...philox(seed, { stream }).draw({ drawn: from }, count).values,
]

test.each(golden.cases)('noise of seed $seed in stream $stream is that of core', ({ seed, stream, from, values }) => {
  expect(drawn(seed, stream, values.length, from)).toEqual(values)
})

test('the first values of seed 0 come from the published words of counter and key zero', () => {
  // Random123 (D. E. Shaw Research), tests/kat_vectors.
  const [a, b, c, d] = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map((word) => (word >>> 8) * 2 ** -24)
  const pair = (u: number, v: number): number[] => {
    const radius = Math.sqrt(-2 * Math.log1p(-u))
    return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)]
  }
  expect(drawn(0, 0, 4)).toEqual([...pair(a!, b!), ...pair(c!, d!)].map(Math.fround))
})

test('values are the same however the draws are cut', () => {
  const sizes = fc.array(fc.nat(11), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(0xffffffff), sizes, (seed, stream, counts) => {
      const source = philox(seed, { stream })
      let state = source.begin()
      const values = counts.flatMap((count) => {
        const draw = source.draw(JSON.parse(JSON.stringify(state)), count)
        state = draw.state
        return [...draw.values]
      })
      expect(values).toEqual(drawn(seed, stream, values.length))
    }),
  )
})

test('noise has the moments of a normal distribution, and streams are independent', () => {
  const [x, y] = [drawn(1, 0, 100_000), drawn(1, 1, 100_000)]
  const mean = (f: (i: number) => number): number => x.reduce((sum, _, i) => sum + f(i), 0) / x.length
  // Five standard errors.
  expect(Math.abs(mean((i) => x[i]!))).toBeLessThan(5 / Math.sqrt(1e5))
  expect(Math.abs(mean((i) => x[i]! ** 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / 1e5))
  expect(Math.abs(mean((i) => x[i]! * y[i]!))).toBeLessThan(5 / Math.sqrt(1e5))
})

test.each([-1, 0.5, Number.NaN, 2 ** 53])('the seed or stream %s is refused', (wrong) => {
  expect(() => philox(wrong)).toThrow(SchedulerError)
  expect(() => philox(0, { stream: wrong })).toThrow(/stream to be a whole number/)
})
