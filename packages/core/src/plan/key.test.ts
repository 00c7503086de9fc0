import { expect, test } from 'vitest'
import { softmax } from '../functional/index.ts'
import { constant, type Tensor, tensor } from '../graph/index.ts'
import { gradients } from '../autograd/index.ts'
import { FakeHost, graphCases, leavesOf, noise } from '../testing/index.ts'
import { walk } from './walk.ts'

const host = new FakeHost()
const leaf = (...shape: number[]): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), 1), shape)
const key = (...tensors: Tensor[]): string => walk(tensors).key

test('graphs built alike share a plan, whatever their leaves hold', () => {
  for (const c of graphCases) {
    const build = (): string => {
      const leaves = leavesOf(host, c)
      const loss = c.loss(leaves)
      return key(loss, ...gradients(loss, Object.values(leaves).filter((t) => t.dtype === 'f32')))
    }
    expect(build(), c.name).toBe(build())
  }
})

test('the composed graphs all have plans of their own', () => {
  expect(new Set(graphCases.map((c) => key(c.loss(leavesOf(host, c))))).size).toBe(graphCases.length)
})

test('numbers and constants change no key', () => {
  const x = leaf(3, 4)
  const build = (a: number, b: number): string => key(x.mul(a).add(constant(host, [b, 1, 2, 3])).clamp(-a, b))
  expect(build(2, 3)).toBe(build(-7, 1e9))
})

test('another shape, dtype, attribute, wiring, order of results or type of a number is another plan', () => {
  const [x, y] = [leaf(4, 4), leaf(4, 4)]
  const keys = [
    key(x.sub(y)), key(x.sub(x)), key(x.sub(y).exp()), key(leaf(4, 5).sub(leaf(4, 5))), key(x.to('f16').sub(y.to('f16'))),
    key(x.matmul(y)), key(x.matmul(y, { transposeA: true })), key(x.matmul(y, { transposeB: true })),
    key(x.exp(), x.log()), key(x.log(), x.exp()), key(x.exp(), x.exp()), key(x.slice(0, 0, 2)), key(x.slice(0, 1, 3)), key(x.slice(1, 0, 2)),
    key(softmax(x)), key(x.sum({ axes: 0 })), key(x.sum({ axes: 1 })), key(x.mean({ axes: 1 })),
    key(x.to('i32').add(1)), key(x.to('u32').add(1)),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})

test('an alias of a leaf under another shape is read by its own shape', () => {
  const x = leaf(2, 3)
  const graph = walk([x.reshape([6]).add(1), x.add(1)])
  expect(graph.leaves.length).toBe(1)
  expect(key(x.mul(x))).not.toBe(key(x.mul(leaf(2, 3))))
})

test('an array that is changed after tensors were made by it changes no shape', () => {
  const shape = [6, 7]
  const x = tensor(host, noise(42, 1), shape)
  const y = x.reshape([42]).reshape(shape)
  shape[0] = 5
  expect([x.shape, y.shape, leaf(6, 7).shape]).toEqual([[6, 7], [6, 7], [6, 7]])
})
