import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { Mt19937 } from './mt19937.ts'
import { TorchGenerator } from './torch-generator.ts'
import golden from './torch-generator.golden.json' with { type: 'json' }

/** torch's vectorised log, sin and cos: over 4 million values of torch 1.13 the largest relative gap is 3.4e-7. */
const LONG_RANDN_TOLERANCE = 4e-7

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(LONG_RANDN_TOLERANCE * Math.abs(value))
  }
}

test('Mt19937 gives the 10,000th word that C++ requires of the default seed', () => {
  // ISO C++ [rand.predef]: the 10,000th value of mt19937 seeded with 5489 is 4123659995.
  const words = new Mt19937(5489)
  for (let i = 1; i < 10_000; i++) words.next()
  expect(words.next()).toBe(4123659995)
})

// Made by tools/golden/torch_random.py.
describe.each(golden.cases)('TorchGenerator equals torch for seed $seed', (expected) => {
  const fresh = (): TorchGenerator => new TorchGenerator(expected.seed)

  test('uniform, bit for bit', () => {
    expect([...fresh().uniform(9)]).toEqual(expected.uniform)
  })

  test('randint, bit for bit', () => {
    expect([...fresh().randint(-5, 1000003, 9)]).toEqual(expected.randint)
    expect([...fresh().randint(-(2 ** 31), 2 ** 31 - 1, 5)]).toEqual(expected.randintWide)
  })

  test('randperm, bit for bit', () => {
    expect([...fresh().randperm(23)]).toEqual(expected.randperm)
  })

  test('short randn, bit for bit, with the cached half pair', () => {
    const generator = fresh()
    expect([1, 5, 15].map((n) => [...generator.randn(n)])).toEqual(expected.randnShort)
  })

  test('long randn, with and without a tail', () => {
    for (const [n, values] of Object.entries(expected.randn)) expectClose(fresh().randn(Number(n)), values)
    expectClose(fresh().randn(4096).slice(-8), expected.randnFar)
  })

  test('mixed calls: a long draw leaves the cached normal alone', () => {
    const generator = fresh()
    const [short, long, uniform, cached, order] = expected.mixed
    expect([...generator.randn(3)]).toEqual(short)
    expectClose(generator.randn(17), long!)
    expect([...generator.uniform(2)]).toEqual(uniform)
    expect([...generator.randn(1)]).toEqual(cached)
    expect([...generator.randperm(4)]).toEqual(order)
  })
})

test('999 draws of 768 normals bring the DDPM test loop of diffusers to its asserted sum', () => {
  // diffusers 58eb52c, tests/schedulers/test_scheduler_ddpm.py: linear betas, fixed_small variance, clip_sample.
  const size = 768
  const steps = 1000
  // i/768 laid out as [c, h, w, b], read as [b, c, h, w]; tables in f32 as torch keeps them.
  const x = Float64Array.from({ length: size }, (_, i) => ((i % 192) * 4 + Math.floor(i / 192)) / size)
  const beta = Float32Array.from({ length: steps }, (_, t) => 1e-4 + ((0.02 - 1e-4) * t) / (steps - 1))
  const alphaBar = new Float32Array(steps)
  let product = 1
  for (let t = 0; t < steps; t++) alphaBar[t] = product *= Math.fround(1 - beta[t]!)

  const generator = new TorchGenerator(0)
  for (let t = steps - 1; t >= 0; t--) {
    const a = alphaBar[t]!
    const aPrevious = t > 0 ? alphaBar[t - 1]! : 1
    const alpha = a / aPrevious
    const sigma = Math.sqrt(((1 - aPrevious) / (1 - a)) * (1 - alpha))
    const noise = t > 0 ? generator.randn(size) : new Float32Array(size)
    for (let i = 0; i < size; i++) {
      const epsilon = (x[i]! * t) / (t + 1)
      const x0 = Math.min(1, Math.max(-1, (x[i]! - Math.sqrt(1 - a) * epsilon) / Math.sqrt(a)))
      const mean = (Math.sqrt(aPrevious) * (1 - alpha) * x0 + Math.sqrt(alpha) * (1 - aPrevious) * x[i]!) / (1 - a)
      x[i] = mean + sigma * noise[i]!
    }
  }
  // diffusers' own tolerance; f32 against f64 arithmetic over the loop is the rest.
  expect(Math.abs(x.reduce((sum, v) => sum + Math.abs(v), 0) - 258.9606)).toBeLessThan(1e-2)
})

describe('TorchGenerator refuses', () => {
  test.each([-1, 0.5, 2 ** 53])('the seed %s', (seed) => {
    expect(() => new TorchGenerator(seed)).toThrow(ConfigError)
  })

  test.each([
    [5, 5],
    [6, 5],
    [0.5, 5],
    [0, 2 ** 31 + 1],
    [-(2 ** 31), 2 ** 31],
    [-(2 ** 31) - 1, 0],
  ])('randint of [%s, %s)', (low, high) => {
    expect(() => new TorchGenerator(0).randint(low, high, 1)).toThrow(ConfigError)
  })
})
