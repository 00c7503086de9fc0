import { expect, test } from 'vitest'
import { ShapeError, UnsupportedError } from '../errors.ts'
import { linear } from '../functional/index.ts'
import { scalar, type Tensor, tensor } from '../graph/index.ts'
import { FakeHost, interpret, noise, relativeGap } from '../testing/index.ts'
import { checkpoint, grad, gradients, stopGradient, valueAndGrad, vjp } from './index.ts'

const host = new FakeHost()
const leaf = (seed: number, ...shape: number[]): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), seed), shape)
const numbers = (...tensors: Tensor[]): number[][] => interpret(tensors).map((d) => [...d])

test('a checkpointed block has the value and the gradients of the plain one, to the bit', () => {
  const [x, w, v] = [leaf(1, 4, 6), leaf(2, 6, 6), leaf(3, 6, 6)]
  const block = (h: Tensor): Tensor => linear(linear(h, w).silu(), v).add(h)
  const run = (wrap: (h: Tensor) => Tensor): number[][] => {
    const loss = wrap(wrap(x.mul(2))).square().mean()
    return numbers(loss, ...gradients(loss, [x, w, v]))
  }
  expect(run((h) => checkpoint(block, h))).toEqual(run(block))
})

test('weights used before, inside and after a checkpoint are counted once each', () => {
  const [x, w] = [leaf(1, 4, 6), leaf(2, 6, 6)]
  const run = (wrap: (fn: (h: Tensor) => Tensor, h: Tensor) => Tensor): number[][] => {
    const loss = linear(wrap((h) => linear(h, w).tanh(), linear(x, w).tanh()), w).square().mean()
    return numbers(loss, ...gradients(loss, [w, x]))
  }
  expect(run((fn, h) => checkpoint(fn, h))).toEqual(run((fn, h) => fn(h)))
})

test('what a checkpoint captures gets its gradient, be it a leaf or computed', () => {
  const [x, w] = [leaf(1, 4, 6), leaf(2, 6, 6)]
  const merged = w.mul(0.5).add(0.1)
  const block = (h: Tensor): Tensor => linear(h, merged).tanh()
  const plain = block(x).square().sum()
  const wrapped = checkpoint(block, x).square().sum()
  expect(numbers(...gradients(wrapped, [merged, w]))).toEqual(numbers(...gradients(plain, [merged, w])))
})

test('checkpoints nest', () => {
  const [x, w] = [leaf(1, 4, 6), leaf(2, 6, 6)]
  const layer = (h: Tensor): Tensor => linear(h, w).sin()
  const plain = layer(layer(layer(x))).sum()
  const nested = checkpoint((h) => layer(checkpoint((k) => layer(checkpoint(layer, k)), h)), x).sum()
  expect(numbers(nested)).toEqual(numbers(plain))
  const [got, expected] = [numbers(...gradients(nested, [x, w])), numbers(...gradients(plain, [x, w]))]
  // The three uses of w are summed from the innermost out, so float64 rounds the last digit otherwise.
  expected.forEach((g, k) => expect(relativeGap(got[k] ?? [], g)).toBeLessThan(1e-12))
})

test('a stopped branch counts as a constant', () => {
  const x = leaf(1, 5)
  const [g] = gradients(x.mul(stopGradient(x.square())).sum(), [x])
  expect(numbers(g as Tensor)).toEqual(numbers(x.square()))
})

test('an input the loss does not depend on gets zeros, and one used twice the sum', () => {
  const [x, y] = [leaf(1, 3), leaf(2, 2, 2)]
  const [gx, gy] = gradients(x.mul(3).add(x).sum(), [x, y]) as [Tensor, Tensor]
  expect(numbers(gx, gy)).toEqual([[4, 4, 4], [0, 0, 0, 0]])
  expect(gy.shape).toEqual([2, 2])
})

test('a gradient can be taken with respect to a tensor in the middle, and behind it at once', () => {
  const x = leaf(1, 4)
  const y = x.mul(2)
  const [gx, gy] = gradients(y.square().sum(), [x, y]) as [Tensor, Tensor]
  expect(numbers(gx)[0]).toEqual(numbers(y.mul(4))[0])
  expect(numbers(gy)[0]).toEqual(numbers(y.mul(2))[0])
})

test('grad, valueAndGrad and vjp agree', () => {
  const [x, y] = [leaf(1, 4), leaf(2, 4)]
  const fn = (a: Tensor, b: Tensor): Tensor => a.mul(b).exp().sum()
  const { value, grads } = valueAndGrad(fn)(x, y)
  expect(numbers(...grad(fn)(x, y))).toEqual(numbers(...grads))
  expect(numbers(...vjp([value], [x, y], [scalar(host, 1)]))).toEqual(numbers(...grads))
})

test('second derivatives come out', () => {
  const x = leaf(1, 4)
  const [first] = gradients(x.silu().sum(), [x]) as [Tensor]
  const [second] = gradients(first.sum(), [x]) as [Tensor]
  const at = (v: number): number => v / (1 + Math.exp(-v))
  numbers(x)[0]?.forEach((v, i) => {
    expect(numbers(second)[0]?.[i]).toBeCloseTo((at(v + 1e-4) - 2 * at(v) + at(v - 1e-4)) / 1e-8, 5)
  })
})

test('what cannot have a gradient says so', () => {
  const x = leaf(1, 4)
  expect(() => gradients(x.mul(2), [x])).toThrow(ShapeError)
  expect(() => vjp([x.mul(2)], [x], [scalar(host, 1)])).toThrow(/cotangent f32\[4\]/)
  expect(() => vjp([x.mul(2)], [x], [])).toThrow(ShapeError)
  expect(() => gradients(leaf(2), [x])).toThrow(UnsupportedError)
  expect(() => gradients(leaf(2), [x])).toThrow(/take gradients first/)
})
