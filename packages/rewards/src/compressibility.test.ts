import { ConfigError, type Tensor, tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import golden from './jpeg-sizes.golden.json' with { type: 'json' }
import { compressibilityReward } from './index.ts'

const host = new FakeHost()
const { side } = golden

/** The pictures of tools/golden/jpeg_sizes.py. */
const pictures = tensor(host, golden.pictures.flatMap(([amplitude = 0, cycles = 0, fine = 0]) => {
  return Array.from({ length: 3 * side * side }, (_, i) => {
    const [c, y, x] = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side] as const
    const wave = Math.sin(2 * Math.PI * cycles * (x + 0.5 * y) / side + 0.5 * c)
    return 0.5 + amplitude * wave + fine * Math.sin(12.9898 * x + 78.233 * y + 3.7 * x * y + 2 * c)
  })
}), [golden.pictures.length, 3, side, side])
const valuesOf = (scores: Tensor): number[] => [...interpret([scores])[0]!]

/** Places in the order of sizes. */
const ranks = (values: readonly number[]): number[] => values.map((v) => values.filter((other) => other < v).length)

test.each([50, 95] as const)('at quality %d pictures rank nearly as their files do', (quality) => {
  const got = valuesOf(compressibilityReward({ quality })(pictures, undefined)).map((v) => -v)
  const [a, b] = [ranks(got), ranks(golden.bits[quality])]
  // Spearman's correlation; one pair of neighbours that changes places makes it 0.964.
  const n = a.length
  expect(1 - 6 * a.reduce((sum, rank, i) => sum + (rank - b[i]!) ** 2, 0) / (n * (n * n - 1))).toBeGreaterThan(0.96)
})

test('a lower quality takes fewer bits, and 95 is the default', () => {
  const two = pictures.slice(0, 1, 3)
  const [low, middle, high, plain] = [{ quality: 10 }, { quality: 50 }, { quality: 95 }, {}].map((options) => {
    return valuesOf(compressibilityReward(options)(two, undefined))
  }) as [number[], number[], number[], number[]]
  expect(plain).toEqual(high)
  for (const i of [0, 1]) expect(low[i]! > middle[i]! && middle[i]! > high[i]!).toBe(true)
})

test('its gradient is central differences, also where a picture is grey', () => {
  for (const scale of [0.4, 0]) {
    const image = waves(host, 'x', [2, 3, 8, 16], 0.5, scale)
    expect(gradientGap(compressibilityReward()(image, undefined).sum(), { image }).relative).toBeLessThan(1e-6)
  }
})

test('one colour takes no bits, and sides and qualities that are none are refused', () => {
  const grey = waves(host, 'x', [1, 3, 8, 8], 0.3, 0)
  expect(Math.abs(valuesOf(compressibilityReward({ quality: 100 })(grey, undefined))[0]!)).toBeLessThan(1e-9)
  const reward = compressibilityReward()
  expect(() => reward(grey.slice(3, 0, 7), undefined)).toThrow('sides of multiples of 8, got [1,3,8,7]')
  expect(() => reward(grey.slice(1, 0, 1), undefined)).toThrow('expected pictures [B, 3, H, W]')
  expect(() => compressibilityReward({ quality: 0 })).toThrow(ConfigError)
})
