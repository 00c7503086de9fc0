import { expect, test } from 'vitest'
import { ConfigError, DTypeError, NumericError, ShapeError } from '../errors.ts'
import { FakeHost, interpret } from '../testing/index.ts'
import { arange, constant, full, scalar, type Tensor, tensor, tensorFromBytes } from './index.ts'

const host = new FakeHost()
const f32Max = 3.4028234663852886e38
const f32End = 3.4028235677973366e38

/** What each element type holds, at its ends, and what it does not. */
const ends = [
  ['f32', [f32Max, -f32Max, 3.4028235e38, 1e-45, -0], [1e39, -1e39, f32End]],
  ['f16', [65504, -65519.9, 6e-8], [65520, -70_000, 1e39]],
  ['bf16', [3.38e38, -1], [2 ** 128 - 2 ** 119, f32Max]],
  ['i32', [2 ** 31 - 1, -(2 ** 31), -0], [1.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, Infinity]],
  ['u32', [2 ** 32 - 1, 0], [-1, 0.5, 2 ** 32, Number.NaN]],
] as const

/** Everything that makes elements of numbers that its caller gives. */
const makers: Readonly<Record<string, (value: number, dtype: 'f32', allowNonFinite: boolean) => unknown>> = {
  tensor: (value, dtype, allowNonFinite) => tensor(host, [1, value], [2], { dtype, allowNonFinite }),
  constant: (value, dtype, allowNonFinite) => constant(host, [1, value], [2], { dtype, allowNonFinite }),
  write: (value, dtype, allowNonFinite) => { tensor(host, [1, 2], [2], { dtype }).write([1, value], { allowNonFinite }) },
}

test.each(Object.keys(makers))('%s takes what its element type holds and names what it does not', (name) => {
  for (const [dtype, inside, outside] of ends) {
    for (const allow of [false, true]) {
      const make = (value: number): unknown => makers[name]?.(value, dtype as 'f32', allow)
      for (const value of inside) make(value)
      for (const value of outside) {
        let error: unknown
        try { make(value) } catch (e) { error = e }
        expect(error, `${value} as ${dtype}`).toBeInstanceOf(NumericError)
        expect((error as NumericError).where).toBe('element 1')
        expect((error as NumericError).message).toMatch(new RegExp(`^${name}: expected .*, got .* at index 1; `))
      }
    }
  }
})

test('what is no finite number is refused unless it is wanted', () => {
  for (const make of Object.values(makers)) {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      expect(() => make(value, 'f32', false)).toThrow(NumericError)
      make(value, 'f32', true)
    }
    for (const value of [null, '1', undefined]) expect(() => make(value as never, 'f32', true)).toThrow(NumericError)
  }
  expect(() => tensor(host, new Float32Array([1, Number.NaN]))).toThrow('index 1')
})

test('numbers beside tensors are what the element type holds', () => {
  const x = tensor(host, [1, 2])
  expect(() => x.mul(1e39)).toThrow('mul: expected a number that f32 holds, got 1e+39')
  expect(() => x.add('1' as never)).toThrow(NumericError)
  expect(() => full(host, [2], 70_000, { dtype: 'f16' })).toThrow(NumericError)
  expect(() => full(host, [2], 0.5, { dtype: 'i32' })).toThrow(NumericError)
  expect(() => scalar(host, -1, 'u32')).toThrow(NumericError)
  // Arithmetic on f16 is that of f32.
  expect(tensor(host, [1], [1], { dtype: 'f16' }).mul(1e5).dtype).toBe('f16')
  expect(full(host, [2], -Infinity).shape).toEqual([2])
})

test('arange counts without gaps where the element type does', () => {
  const n = 2 ** 24 + 2
  const last = (t: Tensor): number => interpret([t])[0]?.at(-1) ?? Number.NaN
  expect(last(arange(host, n, { dtype: 'i32' }))).toBe(n - 1)
  expect(() => arange(host, 70_000, { dtype: 'f16' })).toThrow(NumericError)
})

test('bytes are as many as their shape has', () => {
  expect(interpret([tensorFromBytes(host, new Uint8Array(new Float32Array([1, 2]).buffer), [2], 'f32')])[0]).toEqual(Float64Array.of(1, 2))
  expect(tensorFromBytes(host, new Uint8Array(8), [3], 'f16').size).toBe(3)
  for (const length of [0, 4, 7, 12]) expect(() => tensorFromBytes(host, new Uint8Array(length), [2], 'f32')).toThrow(ShapeError)
  expect(() => tensorFromBytes(host, new Float32Array(2) as never, [2], 'f32')).toThrow(ConfigError)
  expect(() => tensorFromBytes(host, new Uint8Array(8), [2], 'f64' as never)).toThrow(ConfigError)
  expect(() => tensor(host, [1]).to('f64' as never)).toThrow(DTypeError)
  expect(() => scalar(host, 1, 'f64' as never)).toThrow(DTypeError)
})
