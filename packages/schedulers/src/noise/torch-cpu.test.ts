import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SchedulerError } from '../errors.ts'
import { mersenneTwister, seededWords } from './mersenne-twister.ts'
import { torchCpu, type TorchCpuState } from './torch-cpu.ts'

interface Golden {
  readonly cases: readonly {
    readonly seed: number
    readonly randnShort: readonly (readonly number[])[]
    readonly randn: Readonly<Record<string, readonly number[]>>
    readonly randnFar: readonly number[]
  }[]
}

// The values of torch that hold @antipode/core's generator too: another package's data, so read and not imported.
const file = new URL('../../../core/src/random/torch-generator.golden.json', import.meta.url)
const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden

/** torch's vectorised log, sin and cos: over 4 million values the largest relative gap is 3.4e-7. */
const tolerance = 4e-7

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(tolerance * Math.abs(value))
  })
}

/** Draws of these sizes, one after the other. */
function draws(seed: number, counts: readonly number[], convert = (state: TorchCpuState): TorchCpuState => state): Float32Array[] {
  const stream = torchCpu(seed)
  let state = stream.begin()
  return counts.map((count) => {
    const draw = stream.draw(convert(state), count)
    state = draw.state
    return draw.values
  })
}

test('the twister gives the 10,000th word that C++ requires of its default seed', () => {
  // ISO C++ [rand.predef]: the 10,000th value of mt19937 seeded with 5489 is 4123659995.
  const twister = mersenneTwister(seededWords(5489), 624)
  for (let i = 1; i < 10_000; i++) twister.next()
  expect(twister.next()).toBe(4123659995)
})

describe.each(golden.cases)('torchCpu equals torch for seed $seed', ({ seed, randnShort, randn, randnFar }) => {
  test('in short draws bit for bit, and keeps the half of a pair that is left over', () => {
    expect(draws(seed, [1, 5, 15]).map((values) => [...values])).toEqual(randnShort)
  })

  test('in long draws, with and without a tail', () => {
    for (const [count, values] of Object.entries(randn)) expectClose(draws(seed, [Number(count)])[0]!, values)
    expectClose(draws(seed, [4096])[0]!.slice(-8), randnFar)
  })

  test('where a long draw comes between short ones and leaves the spare normal alone', () => {
    const [first, , second] = draws(seed, [3, 16, 1])
    expect([...first!, ...second!]).toEqual([...draws(seed, [4])[0]!])
  })
})

test('a stream resumes from JSON at any draw, and drawing changes no state', () => {
  const counts = fc.array(fc.nat(40), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.maxSafeNat(), counts, (seed, sizes) => {
      const throughJson = draws(seed, sizes, (state) => JSON.parse(JSON.stringify(state)) as TorchCpuState)
      expect(throughJson).toEqual(draws(seed, sizes))
    }),
    { numRuns: 30 },
  )
  const stream = torchCpu(3)
  const begun = stream.begin()
  const before = structuredClone(begun)
  expect(stream.draw(begun, 700)).toEqual(stream.draw(begun, 700))
  expect(begun).toEqual(before)
})

test.each([-1, 0.5, 2 ** 53, Number.NaN])('the seed or count %s is refused', (wrong) => {
  expect(() => torchCpu(wrong)).toThrow(SchedulerError)
  if (wrong !== 2 ** 53) expect(() => torchCpu(0).draw(torchCpu(0).begin(), wrong)).toThrow(/whole number of values/)
})
