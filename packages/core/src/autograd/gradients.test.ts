import { expect, test } from 'vitest'
import { FakeHost, graphCases, gradientGap, leavesOf } from '../testing/index.ts'

test('there are at least twenty composed graphs, each of another name', () => {
  expect(new Set(graphCases.map((c) => c.name)).size).toBeGreaterThanOrEqual(20)
})

// Central differences of step 1e-5 in float64 are good to about 1e-10; 1e-6 leaves room for steep losses.
test.each(graphCases.map((c) => [c.name, c] as const))('gradients equal central differences: %s', (_, c) => {
  const leaves = leavesOf(new FakeHost(), c)
  const gap = gradientGap(c.loss(leaves), leaves)
  expect(gap.compared).toBeGreaterThan(10)
  expect(gap.relative, JSON.stringify(gap)).toBeLessThan(1e-6)
})
