import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitPacking, leastSquares, regret, type Sample } from './fit.ts'

/** Products of many shapes, timed as costs say. */
function timed(costs: { buffer: number; texture: number; element: number; alone: number; dispatches: number }): Sample[] {
  return [[8, 8, 8], [64, 64, 64], [256, 256, 256], [512, 512, 64], [1024, 1024, 1024], [16, 1024, 1024], [32, 32, 8192], [40, 512, 100]].map(([m = 1, n = 1, k = 1]) => {
    const terms = { macs: m * n * k, padded: Math.ceil(m / 8) * 8 * Math.ceil(n / 8) * 8 * k, packed: k * (m + n) }
    return {
      name: `${m}×${n}×${k}`, terms,
      buffers: costs.alone + costs.buffer * terms.macs,
      packed: costs.alone + costs.dispatches + costs.texture * terms.padded + costs.element * terms.packed,
    }
  })
}

test('the costs that made the times are found again', () => {
  const cost = fc.double({ min: 0.1, max: 1, noNaN: true })
  fc.assert(fc.property(cost, fc.double({ min: 0.001, max: 0.009, noNaN: true }), fc.double({ min: 0.1, max: 2, noNaN: true }), fc.integer({ min: 1, max: 200_000 }), (buffer, texture, element, dispatches) => {
    const found = fitPacking(timed({ buffer, texture, element, dispatches, alone: 5000 }))
    expect(found?.buffer).toBeCloseTo(buffer, 6)
    expect(found?.texture).toBeCloseTo(texture, 6)
    expect(found?.element).toBeCloseTo(element, 4)
    expect(Math.abs((found?.dispatches ?? 0) - dispatches)).toBeLessThan(1e-3 * dispatches + 1)
  }))
})

test('packing that never paid is not weighed at all', () => {
  expect(fitPacking(timed({ buffer: 0.01, texture: 0.02, element: 1, dispatches: 1000, alone: 0 }))).toBe(null)
})

test('regret is how much slower than best', () => {
  const terms = { macs: 1, padded: 1, packed: 1 }
  const samples = [{ name: 'a', terms, buffers: 100, packed: 150 }, { name: 'b', terms, buffers: 40, packed: 20 }]
  expect(regret(samples, (s) => s.name === 'b')).toBe(0)
  expect(regret(samples, () => true)).toBeCloseTo(0.25, 9)
  expect(regret(samples, () => false)).toBeCloseTo(0.5, 9)
})

test('a cost that noise would make negative is zero, and the others take its part', () => {
  const [a, b] = leastSquares([[1, 1], [1, 2], [1, 4]], [0.5, 1.5, 3.5])
  expect(a).toBe(0)
  expect(b).toBeGreaterThan(0.5)
  expect(b).toBeLessThan(1)
})

test('terms that say the same do not make it fail', () => {
  const [a = 0, b = 0] = leastSquares([[1, 1], [2, 2], [3, 3]], [2, 4, 6])
  expect(a + b).toBeCloseTo(2, 9)
})
