import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { ConfigError } from '../errors.ts'
import { linear } from '../functional/index.ts'
import { FakeHost, noise } from '../testing/index.ts'
import { common, constant, type Tensor, tensor } from './index.ts'

const host = new FakeHost()
const leaf = (...shape: number[]): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), shape.length), shape)
const [x, w, v] = [leaf(2, 4), leaf(4, 4), leaf(4, 4)]
/** A layer that two branches share, with a number and constants of its own each time, and one in which they differ. */
const branch = (own: Tensor): Tensor =>
  linear(linear(x, w).mul(0.5).add(constant(host, [1, 2, 3, 4], [4])).gelu(), own).sum()
const products = (...tensors: Tensor[]): number =>
  host.plan(...tensors).dispatches.filter((d) => d.kernel.label.startsWith('matmul')).length

test('what two branches have in common is computed once, to the same values and gradients', async () => {
  const apart = [branch(w), branch(v)] as const
  const together = common(() => [branch(w), branch(v)] as const)
  expect([products(...apart), products(...together)]).toEqual([4, 3])
  const values = async ([a, b]: readonly [Tensor, Tensor]): Promise<unknown[]> =>
    Promise.all([a, b, ...gradients(a.mul(b), [x, w, v])].map((t) => t.data()))
  expect(await values(together)).toEqual(await values(apart))
})

test('other numbers are other operations, and so is what is built afterwards', () => {
  const [a, b] = common(() => [linear(x.mul(2), w), linear(x.mul(3), w)])
  expect(products(a as Tensor, b as Tensor)).toBe(2)
  common(() => {
    const inner = common(() => x.exp())
    expect(x.exp()).toBe(inner)
  })
  expect(x.exp()).not.toBe(x.exp())
  expect(() => common(3 as never)).toThrow(ConfigError)
})

test('numbers of blocks are made where they are read, and what is computed of them once', () => {
  const own = new FakeHost()
  const layers = Array.from({ length: 6 }, (_, k) => tensor(own, noise(64 * 64, k), [64, 64], { dtype: 'q8_0' }))
  const start = tensor(own, noise(64, 1), [1, 64])
  const through = (t: Tensor, some: readonly Tensor[]): Tensor => some.reduce((y, w) => linear(y, w).silu(), t)
  const branches = (): Tensor[] => [2, 3].map((factor) => through(through(start, layers.slice(0, 2)).mul(factor), layers.slice(2)))
  const plan = own.plan(...common(branches))
  const count = (name: string): number => plan.dispatches.filter((d) => d.kernel.label.startsWith(name)).length
  expect([count('matmul'), count('dequantise')]).toEqual([10, 10])
  expect(plan.peakBytes).toBeLessThan(3 * 64 * 64 * 4)
})
