import { ConfigError, NumericError, ShapeError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  average,
  drawResamples,
  holm,
  meanInterval,
  pairedBootstrap,
  standardDeviation,
  wilson,
  winRate,
} from './statistics.ts'

const scores = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 })

describe('winRate', () => {
  test('counts ties as half', () => {
    expect(winRate([1, 2, 3, 4], [0, 2, 4, 3])).toBe(0.625)
  })

  test('of a against b and of b against a add up to one', () => {
    fc.assert(
      fc.property(scores, fc.integer(), (a, seed) => {
        const random = rng(Math.abs(seed))
        const b = a.map(() => Math.floor(random.uniform() * 5))
        expect(winRate(a, b) + winRate(b, a)).toBeCloseTo(1, 12)
      }),
    )
  })

  test('unpaired, missing or diverged scores are refused', () => {
    expect(() => winRate([1], [1, 2])).toThrow(ShapeError)
    expect(() => winRate([], [])).toThrow(ShapeError)
    expect(() => winRate([1, Number.NaN], [1, 2])).toThrow(NumericError)
    expect(() => winRate([1], [Infinity])).toThrow(/b\[0\]/)
  })
})

describe('wilson', () => {
  test('agrees with the closed form at the corners', () => {
    // With no success the upper end is z²/(n + z²), and with n successes the lower end is n/(n + z²); z² = 3.8414588.
    const z2 = 1.959963984540054 ** 2
    expect(wilson(0, 10).low).toBeCloseTo(0, 15)
    expect(wilson(0, 10).high).toBeCloseTo(z2 / (10 + z2), 14)
    expect(wilson(10, 10).low).toBeCloseTo(10 / (10 + z2), 14)
    expect(wilson(10, 10).high).toBeCloseTo(1, 14)
  })

  test("reproduces Newcombe's worked example: 81 of 263", () => {
    // Newcombe 1998, Statistics in Medicine 17:857, table I, method 3: 0.2553 to 0.3662.
    const { mean, low, high } = wilson(81, 263)
    expect(mean).toBeCloseTo(81 / 263, 15)
    expect(low).toBeCloseTo(0.2553, 4)
    expect(high).toBeCloseTo(0.3662, 4)
  })

  test('an impossible count is refused', () => {
    expect(() => wilson(3, 2)).toThrow(ConfigError)
    expect(() => wilson(0, 0)).toThrow(ConfigError)
  })
})

describe('holm', () => {
  test('steps down as in a worked example', () => {
    // p = .01 .04 .03 .005: sorted ×4 ×3 ×2 ×1 = .02 .03 .06 .04, then made monotone.
    expect(Array.from(holm([0.01, 0.04, 0.03, 0.005])).map((p) => Number(p.toFixed(12)))).toEqual([
      0.03, 0.06, 0.06, 0.02,
    ])
    expect(Array.from(holm([]))).toEqual([])
    expect(() => holm([1.2])).toThrow(ConfigError)
  })

  test('never lowers a p-value, keeps their order, and stays between the raw p and Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (p) => {
        const adjusted = holm(p)
        for (let i = 0; i < p.length; i++) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p[i]!)
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p.length * p[i]!) + 1e-15)
          for (let j = 0; j < p.length; j++) if (p[i]! < p[j]!) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!)
        }
      }),
    )
  })
})

describe('pairedBootstrap', () => {
  const random = rng(11)
  const a = Array.from({ length: 400 }, () => random.normal() + 0.2)
  const b = a.map((value) => value - 0.2 + 0.5 * random.normal())

  test('the interval of a mean agrees with the normal one where that holds', () => {
    const { difference, count, clusters } = pairedBootstrap(a, b, { seed: 1, samples: 4000 })
    const gaps = a.map((value, i) => value - b[i]!)
    const half = (1.96 * standardDeviation(gaps)) / Math.sqrt(400)
    expect(difference.mean).toBeCloseTo(average(gaps), 12)
    // Ends of 4,000 resamples scatter by about 3% of the half width; 12% is four of those.
    expect(Math.abs(difference.low - (difference.mean - half))).toBeLessThan(0.12 * half)
    expect(Math.abs(difference.high - (difference.mean + half))).toBeLessThan(0.12 * half)
    expect([count, clusters]).toEqual([400, 1])
  })

  test('the same seed gives the same numbers, and swapping the arms mirrors them', () => {
    const once = pairedBootstrap(a, b, { seed: 5 })
    expect(pairedBootstrap(a, b, { seed: 5 })).toEqual(once)
    expect(pairedBootstrap(a, b, { seed: 6 })).not.toEqual(once)
    const mirrored = pairedBootstrap(b, a, { seed: 5 })
    expect(mirrored.difference.low).toBeCloseTo(-once.difference.high, 12)
    expect(mirrored.winRate.high).toBeCloseTo(1 - once.winRate.low, 12)
    expect(mirrored.pValue).toBe(once.pValue)
  })

  test('equal arms give a difference of zero, half of the wins and p = 1', () => {
    const { difference, winRate, pValue } = pairedBootstrap(a, a, { seed: 1, samples: 50 })
    expect(difference).toEqual({ mean: 0, low: 0, high: 0 })
    expect(winRate).toEqual({ mean: 0.5, low: 0.5, high: 0.5 })
    expect(pValue).toBe(1)
  })

  test('a 95% interval covers the truth in about 95% of repetitions', () => {
    const draw = rng(77)
    let covered = 0
    for (let repetition = 0; repetition < 300; repetition++) {
      const x = Array.from({ length: 60 }, () => draw.normal() + 0.3)
      const { low, high } = pairedBootstrap(
        x,
        x.map(() => 0),
        { seed: repetition, samples: 400 },
      ).difference
      if (low <= 0.3 && high >= 0.3) covered += 1
    }
    // 285 expected, standard deviation 3.8; percentile intervals of 60 items cover some 94%.
    expect(covered).toBeGreaterThan(270)
    expect(covered).toBeLessThan(297)
  })

  test('clusters that disagree widen the interval to the spread between them', () => {
    const effect = [0.3, -0.1, 0.4, 0]
    const clusters = Array.from({ length: 400 }, (_, i) => i % 4)
    const x = clusters.map((c) => effect[c]! + 0.01 * random.normal())
    const zero = x.map(() => 0)
    const flat = pairedBootstrap(x, zero, { seed: 3 })
    const grouped = pairedBootstrap(x, zero, { seed: 3, clusters })
    expect(flat.difference.low).toBeGreaterThan(0.1)
    expect(grouped.clusters).toBe(4)
    expect(grouped.difference.low).toBeLessThan(0)
    expect(grouped.difference.high).toBeGreaterThan(0.3)
    expect(grouped.difference.mean).toBeCloseTo(flat.difference.mean, 12)
  })

  test('resamples drawn once give what resampling each time gives', () => {
    const resamples = drawResamples(400, { seed: 5 })
    expect(pairedBootstrap(a, b, resamples)).toEqual(pairedBootstrap(a, b, { seed: 5 }))
    expect(() => pairedBootstrap(a.slice(1), b.slice(1), resamples)).toThrow(ShapeError)
  })

  test('unusable options are refused', () => {
    expect(() => pairedBootstrap(a, b, { seed: 1, samples: 0 })).toThrow(ConfigError)
    expect(() => pairedBootstrap(a, b, { seed: 1, clusters: [1, 2] })).toThrow(ShapeError)
    expect(() => meanInterval([], { seed: 1 })).toThrow(ShapeError)
  })
})

describe('inputs that say nothing are refused', () => {
  test('one item has no spread to resample, and is no certainty', () => {
    // Each resample of one pair is that pair: an interval without width, and p = 2/(samples + 1).
    expect(() => pairedBootstrap([1], [0], { seed: 1 })).toThrow(ShapeError)
    expect(() => meanInterval([1], { seed: 1 })).toThrow(/expected two items or more, got 1/)
    expect(pairedBootstrap([1, 1], [0, 2], { seed: 1, samples: 10 }).count).toBe(2)
  })

  test.each([
    { seed: -1 }, { seed: 0.5 }, {}, { seed: 1, samples: 0 }, { seed: 1, samples: 2.5 }, { seed: 1, samples: Number.NaN }, { seed: 1, sample: 3 },
    { seed: 1, clusters: 3 }, { seed: 1, clusters: [0, Number.NaN] }, { seed: 1, samples: 2 ** 30 },
  ])('options %o', (options) => {
    expect(() => drawResamples(2, options as never)).toThrow(ConfigError)
  })

  test('scores and spreads that are not finite stay so, or are named', () => {
    expect(standardDeviation([Number.NaN])).toBeNaN()
    expect(standardDeviation([5])).toBe(0)
    expect(() => meanInterval([1, Infinity], { seed: 1 })).toThrow(/got Infinity at values\[1\]/)
    expect(() => wilson(1, Infinity)).toThrow(ConfigError)
    expect(() => holm([0.1, Number.NaN])).toThrow(ConfigError)
  })
})
