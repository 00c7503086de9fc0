import { describe, expect, test } from 'vitest'
import { ShapeError } from '../errors.ts'
import { concat, pad } from '../functional/index.ts'
import { FakeHost } from '../testing/index.ts'
import { arange, constant, full, ones, rand, randn, tensor, tensorFromBytes, zeros } from './index.ts'

const host = new FakeHost()
const x = tensor(host, [1, 2, 3, 4, 5, 6], [2, 3])

const makers: Readonly<Record<string, (shape: readonly number[]) => unknown>> = {
  tensor: (shape) => tensor(host, [7], shape),
  constant: (shape) => constant(host, [7], shape),
  tensorFromBytes: (shape) => tensorFromBytes(host, new Uint8Array(4), shape, 'f32'),
  full: (shape) => full(host, shape, 1),
  zeros: (shape) => zeros(host, shape),
  ones: (shape) => ones(host, shape),
  randn: (shape) => randn(host, shape, { seed: 1 }),
  rand: (shape) => rand(host, shape, { seed: 1 }),
  reshape: (shape) => x.reshape(shape),
  expand: (shape) => tensor(host, [7], []).expand(shape),
}
const noShapes: readonly (readonly [string, unknown])[] = [
  ['negative sizes', [-3]], ['two negative sizes', [-1, -1]], ['a fraction', [2.5]], ['a fraction that makes a whole', [1.5, 2]], ['NaN', [Number.NaN]],
  ['infinity', [Infinity]], ['a text', ['1']], ['nothing', [null]], ['a list', [[1]]], ['a number for a shape', 1], ['a text for a shape', '1'],
  ['too many elements to count', [2 ** 30, 2 ** 30]],
]

describe.each(Object.entries(makers))('%s', (name, make) => {
  test.each(noShapes)('refuses %s', (_, shape) => {
    const call = (): unknown => make(shape as readonly number[])
    expect(call).toThrow(ShapeError)
    expect(call).toThrow(new RegExp(`^${name}: expected `))
  })
})

test.each([-1, 2.5, Number.NaN, 2 ** 53])('arange refuses %d', (n) => {
  expect(() => arange(host, n)).toThrow(ShapeError)
})

test('one size of a shape may be worked out, where it is a whole number', () => {
  expect(x.reshape([3, -1]).shape).toEqual([3, 2])
  expect(x.reshape([-1]).shape).toEqual([6])
  expect(() => x.reshape([4, -1])).toThrow('reshape: expected sizes that divide 6 elements beside -1, got [4,-1]')
  expect(() => tensor(host, [], [0]).reshape([0, -1])).toThrow(ShapeError)
  expect(() => tensor(host, [7]).reshape([-1, -1])).toThrow('reshape: expected one size of -1 at most')
  expect(x.expand([5, -1, 3]).shape).toEqual([5, 2, 3])
  expect(() => x.expand([-1, 2, 3])).toThrow(ShapeError)
})

test('ranges of an axis have whole ends, and sizes that grow too large are refused where they do', () => {
  for (const [start, end] of [[0.5, 2], [0, 1.5], [Number.NaN, 1]] as const) expect(() => x.slice(1, start, end)).toThrow(ShapeError)
  expect(() => pad(x, 0, 0.5, 0)).toThrow(ShapeError)
  expect(() => pad(x, 0, -1, 0)).toThrow(ShapeError)
  expect(() => pad(x, 2, 0, 0)).toThrow(ShapeError)
  expect(() => concat([x], 2)).toThrow(ShapeError)
  const long = zeros(host, [2 ** 30, 1])
  expect(() => long.add(zeros(host, [1, 2 ** 30]))).toThrow('add: expected fewer than 2^53 elements')
})

test('tensors without elements are tensors', () => {
  expect(zeros(host, [0]).add(1).shape).toEqual([0])
  expect(tensor(host, [], [0, 3]).reshape([3, 0]).sum({ axes: 1 }).shape).toEqual([3])
  expect(arange(host, 0).size).toBe(0)
})
