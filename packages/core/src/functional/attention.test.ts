import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { tensor } from '../graph/index.ts'
import { FakeHost, interpret } from '../testing/index.ts'
import { logSoftmax, logSumExp, scaledDotProductAttention } from './index.ts'

const lowest = -3.4028234663852886e38

test('log-sum-exp of infinities is that of torch', () => {
  const x = tensor(new FakeHost(), [Infinity, 0, -Infinity, -Infinity, -Infinity, 0, NaN, 0, lowest, lowest, Infinity, -Infinity], [6, 2], { allowNonFinite: true })
  expect([...interpret([logSumExp(x)])[0] ?? []]).toEqual([Infinity, -Infinity, 0, NaN, lowest, Infinity])
  expect([...interpret([logSoftmax(x)])[0] ?? []].slice(4, 6)).toEqual([-Infinity, 0])
  expect([...interpret(gradients(logSumExp(x).sum(), [x]))[0] ?? []].slice(4, 6)).toEqual([0, 1])
})

test('a fully masked row is 0 and so are its gradients; a row at the lowest number has the mean of the values', () => {
  const host = new FakeHost()
  const mask = tensor(host, [-Infinity, -Infinity, lowest, lowest, lowest, -Infinity], [1, 1, 3, 2], { allowNonFinite: true })
  const [q, k, v] = [[1, 2, 3], [4, 5], [6, 8]].map((row) => tensor(host, row, [1, 1, row.length, 1])) as [typeof mask, typeof mask, typeof mask]
  const o = scaledDotProductAttention(q, k, v, { mask })
  expect([...interpret([o])[0] ?? []]).toEqual([0, 7, 6])
  const [dq, , dv] = interpret(gradients(o.sum(), [q, k, v]))
  expect(dq?.[0]).toBe(0)
  expect([...dv ?? []]).toEqual([1.5, 0.5])
})
