import { expect, test } from 'vitest'
import { linearCombination, maximum, minimum, where } from '../functional/index.ts'
import { NumericError } from '../errors.ts'
import { FakeHost, interpret } from '../testing/index.ts'
import { type Tensor, tensor } from './index.ts'

const host = new FakeHost()
const i32 = tensor(host, [1, 2], [2], { dtype: 'i32' })
const u32 = tensor(host, [1, 2], [2], { dtype: 'u32' })
const result = (t: Tensor): unknown[] => [t.dtype, ...interpret([t])[0] ?? []]
const { NaN: nan } = Number

test.each<[string, Tensor, readonly unknown[]]>([
  ['mul', i32.mul(0.5), ['f32', 0.5, 1]],
  ['add', u32.add(0.25), ['f32', 1.25, 2.25]],
  ['sub', i32.sub(nan), ['f32', nan, nan]],
  ['div', i32.div(0.5), ['f32', 2, 4]],
  ['pow', i32.pow(0.5), ['f32', 1, Math.SQRT2]],
  ['lt', i32.lt(1.5), ['f32', 1, 0]],
  ['le', i32.le(-Infinity), ['f32', 0, 0]],
  ['gt', u32.gt(-1), ['f32', 1, 1]],
  ['ge', i32.ge(1.5), ['f32', 0, 1]],
  ['eq', i32.eq(1.5), ['f32', 0, 0]],
  ['beyond the type', i32.lt(2 ** 31), ['f32', 1, 1]],
  ['clamp', i32.clamp(0, Infinity), ['f32', 1, 2]],
  ['clamp between halves', i32.clamp(1.5, 1.75), ['f32', 1.5, 1.75]],
  ['maximum', i32.maximum(1.5), ['f32', 1.5, 2]],
  ['minimum', minimum(1.5, i32), ['f32', 1, 1.5]],
  ['a number first', maximum(-Infinity, u32), ['f32', 1, 2]],
  ['where of two numbers', where(i32.sub(1), 0.5, 1.5), ['f32', 1.5, 0.5]],
  ['where of a tensor and a number', where(i32.sub(1), i32, 0.5), ['f32', 0.5, 2]],
  ['a linear combination', linearCombination([[0.5, i32]]), ['f32', 0.5, 1]],
])('an integer tensor beside a number that its type does not hold is real: %s', (_, t, expected) => {
  expect(result(t)).toEqual(expected)
})

test('beside a number that its type holds it stays what it is', () => {
  expect(result(i32.mul(-3))).toEqual(['i32', -3, -6])
  expect(result(u32.lt(2))).toEqual(['u32', 1, 0])
  expect(result(i32.clamp(0, 1))).toEqual(['i32', 1, 1])
  expect(result(where(i32.eq(1), 7, i32))).toEqual(['i32', 7, 2])
})

test('a condition chooses by not being 0, however small it is in the type of what it chooses', () => {
  const condition = tensor(host, [0.5, 0, 1e-9, -1e-9, nan], [5], { allowNonFinite: true })
  const [yes, no] = [1, 0].map((k) => tensor(host, new Array<number>(5).fill(k), [5], { dtype: 'i32' })) as [Tensor, Tensor]
  expect(result(where(condition, yes, no))).toEqual(['i32', 1, 0, 1, 1, 1])
  expect(where(condition, yes.to('f16'), 0).dtype).toBe('f16')
  expect(() => where(condition.to('f16'), 70_000, 0)).toThrow(NumericError)
})
