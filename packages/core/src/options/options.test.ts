import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { abortSignal, atLeast, below, between, callable, checkArgument, checkOptions, either, finite, flag, listOf, oneOf, positive, type Range, required, text, whole } from './index.ts'

interface Options {
  readonly lr: number
  readonly steps?: number
}
const ranges = { lr: required(positive), steps: whole(1) }
const check = (options: unknown): void => checkOptions<Options>('train', options as Options, ranges)

test('options within their ranges pass, and what is left out is the default', () => {
  check({ lr: 1e-3 })
  check({ lr: 1e-3, steps: undefined })
  check({ lr: 1e-3, steps: 3 })
  checkOptions('none', undefined, {})
})

test.each([
  [{ lr: 1, stepz: 3 }, "train: expected options among lr, steps, got stepz; remove or rename it: did you mean steps?"],
  [{ lr: 1, num_steps: 3 }, 'train: expected options among lr, steps, got num_steps; remove or rename it: did you mean steps?'],
  [{ lr: 1, rate: 3 }, 'train: expected options among lr, steps, got rate; remove or rename it'],
  [{}, 'train: expected lr to be a positive, finite number, got undefined'],
  [{ lr: Number.NaN }, 'train: expected lr to be a positive, finite number, got NaN'],
  [{ lr: null }, 'train: expected lr to be a positive, finite number, got null'],
  [{ lr: 1, steps: 2.5 }, 'train: expected steps to be a whole number of 1 or more, got 2.5'],
  [{ lr: '1' }, "train: expected lr to be a positive, finite number, got '1'"],
  [[], 'train: expected an object of options, got []'],
  [{ lr: new Map() }, 'train: expected lr to be a positive, finite number, got a Map'],
])('%j is refused: %s', (options, message) => {
  expect(() => check(options)).toThrow(new ConfigError(message))
})

test('names that every object inherits are options nobody knows', () => {
  const inherited = Object.defineProperty({}, 'constructor', { value: 1, enumerable: true })
  expect(() => checkOptions('f', inherited, {})).toThrow('f: expected no options, got constructor')
})

test('values that JSON cannot hold are described all the same', () => {
  const circle: unknown[] = []
  circle.push(circle)
  expect(() => checkArgument('f', 'x', circle, finite)).toThrow('got an array')
  expect(() => checkArgument('f', 'x', 10n, finite)).toThrow('got 10n')
  expect(() => checkArgument('f', 'x', 'a'.repeat(200), finite)).toThrow(/got 'a{78}…$/)
})

describe('ranges', () => {
  const edges: readonly [string, Range, readonly unknown[], readonly unknown[]][] = [
    ['finite', finite, [0, -0, -1e308], [Number.NaN, Infinity, '0', null]],
    ['positive', positive, [Number.MIN_VALUE, 1e308], [0, -0, Infinity, Number.NaN]],
    ['atLeast', atLeast(0), [0, -0, 3], [-Number.MIN_VALUE, Infinity, Number.NaN]],
    ['between', between(0, 1), [0, 1], [-1e-9, 1 + 1e-9, Number.NaN]],
    ['below', below(0, 1), [0, 1 - 2 ** -53], [1, Number.NaN]],
    ['whole', whole(0), [0, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, Infinity, Number.NaN, '1']],
    ['whole with an end', whole(1, 3), [1, 3], [0, 4]],
    ['flag', flag, [true, false], [0, 'true', null]],
    ['oneOf', oneOf('f16', 'f32'), ['f16'], ['f64', 1, null]],
    ['text', text, ['a'], ['', 1]],
    ['callable', callable, [() => 0], [{}, 'f']],
    ['abortSignal', abortSignal, [AbortSignal.abort()], [{ aborted: false }]],
    ['either', either(flag, whole(1)), [true, 1], [0, 'a']],
    ['listOf', listOf(whole(0)), [[], [1, 2]], [[1, -1], 3, 'ab']],
  ]
  test.each(edges)('%s', (_, range, inside, outside) => {
    for (const value of inside) expect(range.accepts(value), String(value)).toBe(true)
    for (const value of outside) expect(range.accepts(value), String(value)).toBe(false)
  })

  test('whole takes the safe integers of its range and no other number', () => {
    fc.assert(fc.property(fc.double(), fc.integer({ min: -5, max: 5 }), (x, low) => {
      expect(whole(low).accepts(x)).toBe(Number.isSafeInteger(x) && x >= low)
    }))
  })
})
