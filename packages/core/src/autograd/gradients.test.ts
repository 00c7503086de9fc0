import { expect, test } from 'vitest'
import { where } from '../functional/index.ts'
import { full, type Tensor, tensor } from '../graph/index.ts'
import { FakeHost, graphCases, gradientGap, interpret, leavesOf } from '../testing/index.ts'
import { gradients } from './gradients.ts'

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

test.each<[string, (x: Tensor) => Tensor, number, number]>([
  ['a root', (x) => where(x.gt(0), x.sqrt(), x), -1, 1],
  ['a root of a root, further up', (x) => where(x.gt(0), x.mul(2).sqrt().log().add(1), x.mul(3)), -1, 3],
  ['a logarithm at its pole', (x) => where(x.gt(0), x.log(), 0), 0, 0],
  ['a quotient by zero, broadcast', (x) => where(x.gt(0), full(x.device, [3], 1).div(x.reshape([1])), 0).sum(), 0, 0],
  ['an exponential beyond all numbers', (x) => where(x.lt(80), x.exp(), x.mul(2)), 1000, 2],
  ['what lies in a choice within it', (x) => where(x.gt(0), where(x.gt(-2), x.sqrt(), 1), x), -1, 1],
  ['a logarithm that is clamped', (x) => x.log().maximum(-10), 0, 0],
  ['a logarithm before a relu', (x) => x.log().relu(), 0, 0],
])('the branch not taken gives no gradient, however steep it is there: %s', (_, f, at, slope) => {
  const x = tensor(new FakeHost(), [at])
  expect([...interpret(gradients(f(x).sum(), [x]))[0] ?? []]).toEqual([slope])
})

test('a tensor read in both branches and beside them gets the sum of all three', () => {
  const x = tensor(new FakeHost(), [-2, 3])
  const y = x.square()
  const [g] = interpret(gradients(where(x.gt(0), y.mul(5), y.mul(7)).add(y).sum(), [x]))
  expect([...g ?? []]).toEqual([8 * 2 * -2, 6 * 2 * 3])
})
