import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { tensor } from '../graph/index.ts'
import { FakeHost, interpret } from '../testing/index.ts'
import { logSigmoid, logSumExp } from './attention.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

test.each([
  [[inf, 0], inf, [1, 0]],
  [[inf, inf], inf, [0.5, 0.5]],
  [[-inf, 3], 3, [0, 1]],
  [[-inf, -inf], -inf, [0.5, 0.5]],
  [[nan, 0], nan, [nan, nan]],
  [[1000, 1000], 1000 + Math.log(2), [0.5, 0.5]],
  [[-(2 ** 126), -(2 ** 126)], -(2 ** 126), [0.5, 0.5]],
])('log Σ exp of %j is %d, with gradient %j', (row, value, slope) => {
  const x = tensor(new FakeHost(), row, [1, 2], { allowNonFinite: true })
  const y = logSumExp(x)
  const [got, grad] = interpret([y, ...gradients(y.sum(), [x])])
  expect([...got ?? []]).toEqual([value])
  expect([...grad ?? []]).toEqual(slope)
})

test('log σ keeps its digits where it is small, and its gradient too', () => {
  const x = tensor(new FakeHost(), [20, 40, -1000], [3])
  const y = logSigmoid(x)
  const [got, grad] = interpret([y, ...gradients(y.sum(), [x])])
  expect([...got ?? []]).toEqual([-Math.log1p(Math.exp(-20)), -Math.log1p(Math.exp(-40)), -1000])
  expect([...grad ?? []]).toEqual([1 / (1 + Math.exp(20)), 1 / (1 + Math.exp(40)), 1])
})
