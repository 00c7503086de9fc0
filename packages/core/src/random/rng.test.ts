import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { philox4x32, philoxNormal } from './philox.ts'
import { rng, Rng } from './rng.ts'

const draw = (random: Rng): unknown => [
  random.uniform(),
  random.int(7),
  random.normal(),
  random.shuffle([1, 2, 3, 4, 5]),
]

describe('Rng', () => {
  test('continues bit for bit from a state that went through JSON, whatever was drawn before', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(0xffffffff), fc.nat(20), (seed, stream, before) => {
        const random = rng(seed, { stream })
        for (let i = 0; i < before; i++) random.int(i + 1)
        const resumed = Rng.restore(JSON.parse(JSON.stringify(random.state)))
        expect(draw(resumed)).toEqual(draw(random))
        expect(resumed.state).toEqual(random.state)
      }),
    )
  })

  test('reads words of counter domain 1, so it never repeats array noise of the same seed', () => {
    const [a, b] = philox4x32([0, 0, 0, 1], [7, 0])
    expect(rng(7).uniform()).toBe(((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53)
    expect([...philoxNormal(64, { seed: 7 })]).not.toContain(Math.fround(rng(7).normal()))
  })

  test('crosses the 32-bit boundary of the block number', () => {
    const random = Rng.restore({ seed: 7, stream: 3, position: 2 ** 34 + 4 })
    const [a, b] = philox4x32([1, 1, 3, 1], [7, 0])
    expect(random.uniform()).toBe(((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53)
  })

  test('int covers its range evenly', () => {
    const random = rng(1)
    const counts = new Array<number>(6).fill(0)
    for (let i = 0; i < 60_000; i++) counts[random.int(6)]!++
    // Five standard deviations of a binomial with n = 60,000 and p = 1/6 are 457.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(457)
    expect(random.int(1)).toBe(0)
    expect(random.int(2 ** 32)).toBeGreaterThanOrEqual(0)
  })

  test('shuffle keeps the elements and reaches every order equally often', () => {
    const random = rng(2)
    const counts = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle(['a', 'b', 'c', 'd']).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    // Five standard deviations of a binomial with n = 24,000 and p = 1/24 are 155.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(155)
  })

  test('normal has mean 0 and variance 1', () => {
    const random = rng(3)
    let sum = 0
    let squares = 0
    const n = 50_000
    for (let i = 0; i < n; i++) {
      const z = random.normal()
      sum += z
      squares += z * z
    }
    expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(n))
    expect(Math.abs(squares / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
  })

  test.each([0, -1, 1.5, NaN, 2 ** 32 + 1])('int refuses the bound %s', (bound) => {
    expect(() => rng(0).int(bound)).toThrow(ConfigError)
  })

  test('refuses a state that no generator returned', () => {
    expect(() => Rng.restore({ seed: -1, stream: 0, position: 0 })).toThrow(ConfigError)
    expect(() => Rng.restore({ seed: 0, stream: 0.5, position: 0 })).toThrow(ConfigError)
    expect(() => Rng.restore({ seed: 0, stream: 0, position: -4 })).toThrow(ConfigError)
  })
})
