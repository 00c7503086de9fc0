import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseOptions, usage } from './options.ts'

const parse = (...args: string[]): unknown => {
  const asked = parseOptions(args, { home: 'home', libraries: ['antipode', 'tfjs'] })
  return 'run' in asked ? asked.run : asked
}

test('everything is written home, a part of it nowhere unless told', () => {
  expect(parse()).toEqual({ workloads: [], rounds: 5, only: [], cold: true, quick: false, out: 'home' })
  expect(parse('matmul')).toHaveProperty('out', undefined)
  expect(parse('--no-cold')).toHaveProperty('out', undefined)
  expect(parse('matmul', 'geglu', '--only', 'antipode,tfjs', '--rounds', '7', '--out', 'x'))
    .toEqual({ workloads: ['matmul', 'geglu'], rounds: 7, only: ['antipode', 'tfjs'], cold: true, quick: false, out: 'x' })
})

test('who gets ready side by side has no first start to time, and is not written home', () => {
  expect(parse('--quick')).toEqual({ workloads: [], rounds: 5, only: [], cold: false, quick: true, out: undefined })
})

test('help goes before all, and a list is asked for without a mistake beside it', () => {
  expect(parse('--help', '--rounds', '1')).toEqual({ help: true })
  expect(parse('--list')).toEqual({ list: true })
  expect(() => parse('--list', '--fast')).toThrow(TypeError)
})

test.each([
  [['--rounds', '2'], 'expected --rounds to be a whole number in [3, 1000], got 2'], [['--rounds', 'many'], 'got many'], [['--rounds', '1e2'], 'got 1e2'],
  [['--rounds', '1001'], 'got 1001'], [['--rounds='], 'got nothing'], [['--only', 'jax'], 'expected --only to be among antipode, tfjs, got jax'],
  [['--only', ','], 'got nothing'], [['--only='], 'got nothing'], [['--out='], 'expected --out to be a folder, got nothing'], [['--fast'], "Unknown option '--fast'"],
])('%j is refused', (args, message) => {
  expect(() => parse(...args)).toThrow(TypeError)
  expect(() => parse(...args)).toThrow(message)
})

test('`npm run bench` answers a mistake before it builds anything', () => {
  const { status, stderr, stdout } = spawnSync('npm', ['run', '--silent', 'bench', '--', '--fast'], { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' })
  expect(stderr).toContain(`Unknown option '--fast'`)
  expect(stderr).toContain(usage)
  expect([status, stdout]).toEqual([2, ''])
})
