import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { philox4x32, philoxBits, philoxNormal, philoxUniform, type Word4 } from './philox.ts'

// Known answers of Philox 4x32-10: Random123 (D. E. Shaw Research), tests/kat_vectors.
const known: { counter: Word4; key: [number, number]; words: number[] }[] = [
  { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
]

function moments(x: Float32Array): { mean: number; variance: number } {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length
  return { mean, variance: x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length }
}

describe('philox4x32', () => {
  test.each(known)('gives the published words for counter $counter', ({ counter, key, words }) => {
    expect(philox4x32(counter, key)).toEqual(words)
  })
})

describe('philoxBits', () => {
  test('lays seed, stream and block number out as documented', () => {
    const seed = 0x1fffff * 2 ** 32 + 0x89abcdef
    const bits = philoxBits(11, { seed, stream: 0xfedcba98 })
    for (let i = 0; i < bits.length; i++) {
      const block = philox4x32([Math.floor(i / 4), 0, 0xfedcba98, 0], [0x89abcdef, 0x1fffff])
      expect(bits[i]).toBe(block[i % 4])
    }
  })

  test('a longer draw begins with the shorter one', () => {
    const long = philoxBits(1000, { seed: 3 })
    for (const n of [0, 1, 2, 3, 4, 5, 999]) expect(philoxBits(n, { seed: 3 })).toEqual(long.slice(0, n))
  })

  test('seeds that share their low word, and streams, differ', () => {
    const draws = [
      philoxBits(4, { seed: 1 }),
      philoxBits(4, { seed: 1 + 2 ** 32 }),
      philoxBits(4, { seed: 1, stream: 1 }),
      philoxBits(4, { seed: 2 }),
    ]
    expect(new Set(draws.map(String)).size).toBe(draws.length)
  })

  test.each([-1, 0.5, NaN, 2 ** 53, Infinity])('refuses the seed %s', (seed) => {
    expect(() => philoxUniform(4, { seed })).toThrow(ConfigError)
  })

  test.each([-1, 0.5, NaN, 2 ** 32])('refuses the stream %s', (stream) => {
    expect(() => philoxUniform(4, { seed: 0, stream })).toThrow(ConfigError)
  })

  test.each([-1, 0.5, NaN, 2 ** 33])('refuses the length %s', (n) => {
    expect(() => philoxNormal(n, { seed: 0 })).toThrow(ConfigError)
  })
})

describe('philoxUniform', () => {
  test('is the top 24 bits of each word as an exact fraction', () => {
    const bits = philoxBits(257, { seed: 9, stream: 2 })
    const uniform = philoxUniform(257, { seed: 9, stream: 2 })
    expect([...uniform]).toEqual([...bits].map((word) => Math.floor(word / 256) / 16777216))
  })

  test('has the moments of a uniform distribution', () => {
    const { mean, variance } = moments(philoxUniform(200_000, { seed: 0 }))
    // Five standard errors: 5/√(12·n) for the mean, 5·√(1/180/n) for the variance.
    expect(Math.abs(mean - 0.5)).toBeLessThan(3.3e-3)
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(8.4e-4)
  })
})

describe('philoxNormal', () => {
  test('is Box–Muller over consecutive pairs of the uniforms', () => {
    const uniform = philoxUniform(12, { seed: 5 })
    const normal = philoxNormal(11, { seed: 5 })
    for (let i = 0; i < normal.length; i++) {
      const pair = i - (i % 2)
      const radius = Math.sqrt(-2 * Math.log(1 - uniform[pair]!))
      const angle = 2 * Math.PI * uniform[pair + 1]!
      const exact = radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle))
      // Rounded once: half an ulp of f32, with room for the last bit of log against log1p.
      expect(Math.abs(normal[i]! - exact)).toBeLessThanOrEqual(2 ** -24 * 1.001 * Math.abs(exact))
    }
  })

  test('has the moments and the tail of a normal distribution', () => {
    const x = philoxNormal(200_001, { seed: 1 })
    const { mean, variance } = moments(x)
    // Five standard errors: 5/√n, 5·√(2/n), and for the share beyond 1.96 (0.05) 5·√(0.0475/n).
    expect(Math.abs(mean)).toBeLessThan(1.12e-2)
    expect(Math.abs(variance - 1)).toBeLessThan(1.6e-2)
    expect(Math.abs(x.filter((v) => Math.abs(v) > 1.959964).length / x.length - 0.05)).toBeLessThan(2.5e-3)
  })
})
