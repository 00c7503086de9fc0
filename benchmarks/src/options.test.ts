import { expect, test } from 'vitest'
import { parseOptions } from './options.ts'

test('everything is written home, a part of it nowhere unless told', () => {
  expect(parseOptions([], 'home')).toEqual({ workloads: [], rounds: 5, only: [], cold: true, quick: false, out: 'home' })
  expect(parseOptions(['matmul'], 'home').out).toBeUndefined()
  expect(parseOptions(['--no-cold'], 'home').out).toBeUndefined()
  expect(parseOptions(['matmul', 'geglu', '--only', 'antipode,tfjs', '--rounds', '7', '--out', 'x'], 'home'))
    .toEqual({ workloads: ['matmul', 'geglu'], rounds: 7, only: ['antipode', 'tfjs'], cold: true, quick: false, out: 'x' })
})

test('who gets ready side by side has no first start to time, and is not written home', () => {
  expect(parseOptions(['--quick'], 'home')).toEqual({ workloads: [], rounds: 5, only: [], cold: false, quick: true, out: undefined })
})

test('rounds too few for a spread, and options that are none, are refused', () => {
  for (const args of [['--rounds', '2'], ['--rounds', 'many'], ['--fast']]) expect(() => parseOptions(args, 'home')).toThrow(TypeError)
})
