import fc from 'fast-check'
import { expect, test } from 'vitest'
import { geometricMean, median, pairedRatio, quantile, spread } from './statistics.ts'

test('quantiles are those worked out by hand, whatever the order', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect([0, 0.25, 0.5, 1].map((share) => quantile([50, 10, 40, 20, 30], share))).toEqual([10, 20, 30, 50])
  expect(median([])).toBeNaN()
  expect(spread([5, 2, 9])).toEqual({ median: 5, min: 2, max: 9 })
})

test('a median lies between the extremes and does not change the values it is taken of', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
    const before = [...values]
    const { min, max, median: middle } = spread(values)
    expect(values).toEqual(before)
    expect(min <= middle && middle <= max).toBe(true)
  }))
})

test('a round that was slow for both changes the ratio of medians, not the paired ratio', () => {
  // The machine was busy in the second and third round.
  expect(pairedRatio([10, 40, 30], [20, 80, 60])).toEqual({ median: 2, min: 2, max: 2 })
  expect(pairedRatio([10, 10], [30])).toEqual({ median: 3, min: 3, max: 3 })
  expect(pairedRatio([], [30])).toBeUndefined()
})

test('twice and half make one', () => {
  expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12)
})
