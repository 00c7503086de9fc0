import { ConfigError, NumericError, ShapeError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { describe, expect, test } from 'vitest'
import { ARMS, compareAtBest, compareAtEqualScale } from './comparisons.ts'
import { compareArms, evaluateArms } from './evaluate.ts'
import { type Falsifier, falsifiers, type Verdict } from './falsifiers.ts'
import {
  bestScale,
  bestScales,
  type Cell,
  compareCells,
  curve,
  differenceBySeed,
  type EvaluationTable,
  type Metric,
  tableResamples,
} from './table.ts'

const scales = [1, 2, 3, 4]
const seeds = [10, 20, 30]

/** What an arm does in a made-up world: judge height and optimum, reward and accuracy. */
interface World {
  readonly height: number
  readonly optimum?: number
  readonly reward?: number
  readonly accuracy?: number
  /** Added to the judge, by training seed. */
  readonly bySeed?: readonly number[]
}

/** Scores with a parabola over scales; noise that items share, as paired samples do, and a little of their own. */
function madeUp(worlds: Readonly<Record<string, World>>, { seed = 1, items = 150 } = {}): EvaluationTable {
  const random = rng(seed)
  const shared = seeds.map(() => Float64Array.from({ length: items }, () => 0.1 * random.normal()))
  const arms = Object.entries(worlds).map(([id, world]) => {
    const { height, optimum = 2, reward = height, accuracy = 0.9, bySeed = [0, 0, 0] } = world
    const fill = (level: (s: number, scale: number, item: number) => number): Float64Array[][] =>
      seeds.map((_, s) => scales.map((scale) => Float64Array.from({ length: items }, (_, i) => level(s, scale, i))))
    const noisy = (s: number, i: number): number => shared[s]![i]! + 0.01 * random.normal()
    return {
      id,
      scores: {
        judge: fill((s, scale, i) => height + bySeed[s]! - 0.02 * (scale - optimum) ** 2 + noisy(s, i)),
        reward: fill((s, scale, i) => reward - 0.02 * (scale - optimum) ** 2 + noisy(s, i)),
        correct: fill((_s, _scale, i) => (i < accuracy * items ? 1 : 0)),
      } satisfies Record<Metric, Float64Array[][]>,
    }
  })
  return { seeds, scales, arms }
}

const good: Record<string, World> = {
  [ARMS.base]: { height: -0.3, optimum: 3 },
  [ARMS.npo]: { height: -0.25 },
  [ARMS.dpo]: { height: -0.26 },
  [ARMS.merged]: { height: -0.22 },
  [ARMS.unmerged]: { height: -0.24 },
  [ARMS.extrapolation]: { height: -0.28 },
  [ARMS.random]: { height: -0.3 },
}

function verdicts(worlds: Readonly<Record<string, World>>): Record<Falsifier['id'], Verdict> {
  const table = madeUp(worlds)
  const resamples = tableResamples(table, { seed: 1, samples: 300 })
  const found = falsifiers({ table, best: bestScales(madeUp(worlds, { seed: 2 })), resamples })
  // The ids are those of the type; fromEntries forgets them.
  return Object.fromEntries(found.map(({ id, verdict }) => [id, verdict])) as Record<Falsifier['id'], Verdict>
}

describe('falsifiers', () => {
  test('a claim that holds in every respect survives all seven', () => {
    expect(verdicts(good)).toEqual({
      F1: 'survives',
      F2: 'survives',
      F3: 'survives',
      F4: 'survives',
      F5: 'survives',
      F6: 'survives',
      F7: 'survives',
    })
  })

  test.each([
    ['F1', { [ARMS.npo]: { height: -0.3 } }],
    ['F2', { [ARMS.merged]: { height: -0.27 } }],
    ['F3', { [ARMS.extrapolation]: { height: -0.25 } }],
    ['F4', { [ARMS.random]: { height: -0.25 } }],
    ['F5', { [ARMS.unmerged]: { height: -0.2 } }],
    ['F6', { [ARMS.npo]: { height: -0.3, reward: -0.1 } }],
    ['F6', { [ARMS.npo]: { height: -0.25, accuracy: 0.7 } }],
    ['F7', { [ARMS.npo]: { height: -0.29, bySeed: [0.1, -0.1, 0] } }],
  ] as const)('%s falls in a world made to falsify it: %j', (id, change) => {
    expect(verdicts({ ...good, ...(change as Record<string, World>) })[id]).toBe('falsified') // keys are arm names
  })

  test('an arm that was not sampled leaves its falsifiers open', () => {
    const { [ARMS.unmerged]: _unmerged, [ARMS.random]: _random, ...rest } = good
    const found = verdicts(rest)
    expect(found.F5).toBe('inconclusive')
    expect(found.F4).toBe('inconclusive')
    expect(found.F1).toBe('survives')
  })

  test('one training seed cannot answer F7', () => {
    const whole = madeUp(good)
    const table = { ...whole, seeds: [10] }
    const found = falsifiers({
      table,
      best: bestScales(table),
      resamples: tableResamples(table, { seed: 1, samples: 200 }),
    })
    expect(found.find(({ id }) => id === 'F7')?.verdict).toBe('inconclusive')
  })

  test('reasons and evidence carry the numbers', () => {
    const table = madeUp(good)
    const [first] = falsifiers({
      table,
      best: bestScales(table),
      resamples: tableResamples(table, { seed: 1, samples: 200 }),
    })
    expect(first?.evidence['difference']).toBeCloseTo(0.05, 2)
    expect(first?.evidence).toMatchObject({ scaleA: 2, scaleB: 3, count: 450 })
    expect(first?.reason).toMatch(/base\/NPO at scale 2 against base\/base at scale 3: difference \+0\.0[45]/)
  })
})

describe('comparisons', () => {
  const table = madeUp(good)
  const resamples = tableResamples(table, { seed: 4, samples: 200 })

  test('at equal scale a better optimum can lose past it', () => {
    const rows = compareAtEqualScale(table, { resamples, pairs: [[ARMS.npo, ARMS.base]] })
    expect(rows.map(({ scaleA, scaleB }) => [scaleA, scaleB])).toEqual(scales.map((w) => [w, w]))
    expect(rows[0]!.winRate.mean).toBeGreaterThan(0.9)
    expect(rows[3]!.winRate.mean).toBeLessThan(0.5)
  })

  test("at each arm's own best scale the better optimum wins, with a corrected p-value", () => {
    const [row] = compareAtBest(table, bestScales(table), { resamples })
    expect(row).toMatchObject({ a: ARMS.npo, b: ARMS.base, scaleA: 2, scaleB: 3, count: 450, clusters: 3 })
    expect(row!.difference.low).toBeGreaterThan(0)
    expect(row!.adjustedPValue).toBeGreaterThanOrEqual(row!.pValue)
  })

  test('arms that were not sampled are skipped, unknown ones by name are errors', () => {
    const two: EvaluationTable = { ...table, arms: table.arms.slice(0, 2) }
    expect(compareAtBest(two, bestScales(two), { resamples })).toHaveLength(1)
    expect(() => curve(two, 'nobody', 'judge', resamples)).toThrow(ConfigError)
  })
})

describe('best scale', () => {
  test('is the top of the curve, the smaller of two that tie, and says when it is at the edge', () => {
    const points = [4, 1, 2].map((scale) => ({ scale, mean: scale === 1 ? 0 : 1 }))
    expect(bestScale(points)).toEqual({ scale: 2, mean: 1, interior: true })
    expect(
      bestScale([
        { scale: 1, mean: 2 },
        { scale: 2, mean: 1 },
      ]),
    ).toMatchObject({ scale: 1, interior: false })
    expect(() => bestScale([])).toThrow(ConfigError)
  })

  test('differences by seed recover what each seed was given', () => {
    const table = madeUp({ ...good, [ARMS.npo]: { height: -0.25, bySeed: [0.1, 0, -0.1] } })
    const found = differenceBySeed(table, { arm: ARMS.npo, scale: 2 }, { arm: ARMS.dpo, scale: 2 })
    // Own noise of 0.01 on 150 items in both arms: standard error 0.0012.
    expect(found.map((d) => Math.round(d * 100) / 100)).toEqual([0.11, 0.01, -0.09])
  })

  test('a curve has an interval around each mean', () => {
    const table = madeUp(good)
    const points = curve(table, ARMS.base, 'judge', tableResamples(table, { seed: 1, samples: 200 }))
    expect(points.map(({ scale }) => scale)).toEqual(scales)
    for (const { mean, low, high } of points) expect(low < mean && mean < high).toBe(true)
  })
})

describe('tables that cannot be judged', () => {
  const table = madeUp(good, { items: 3 })
  const resamples = tableResamples(table, { seed: 1, samples: 10 })
  const at = (arm: string): Cell => ({ arm, scale: 2 })
  const withScores = (change: (scores: readonly ArrayLike<number>[], seed: number) => readonly ArrayLike<number>[]): EvaluationTable => ({
    ...table,
    arms: table.arms.map((arm) => (arm.id === ARMS.npo ? { ...arm, scores: { ...arm.scores, judge: (arm.scores['judge'] ?? []).map(change) } } : arm)),
  })

  test('a score that is not finite is named rather than passed over', () => {
    const lost = withScores((scores) => scores.map((items, i) => (i === 1 ? [Number.NaN, 0, 0] : items)))
    expect(() => bestScales(lost)).toThrow(NumericError)
    expect(() => bestScale([{ scale: 1, mean: Number.NaN }, { scale: 2, mean: 1 }])).toThrow(/got NaN at scale 1/)
    expect(() => differenceBySeed(lost, at(ARMS.npo), at(ARMS.base))).toThrow(NumericError)
    expect(() => compareCells(lost, at(ARMS.npo), at(ARMS.base), { resamples })).toThrow(NumericError)
  })

  test('items that are no pairs are refused, also where their number is the same in all', () => {
    const shifted = withScores((scores, seed) => scores.map(() => new Float64Array([4, 2, 3][seed] ?? 0)))
    expect(() => compareCells(shifted, at(ARMS.npo), at(ARMS.base), { resamples })).toThrow(/as many items of seed 10 in both cells, got 4 and 3/)
    expect(() => differenceBySeed(shifted, at(ARMS.npo), at(ARMS.base))).toThrow(ShapeError)
  })

  test('options that mean nothing are refused', () => {
    const wrong = [{ resamples, metric: 'speed' }, { metric: 'judge' }, { resamples, metrics: 'judge' }, { resamples, pairs: [['a']] }]
    for (const options of wrong) expect(() => compareAtEqualScale(table, options as never), JSON.stringify(options).slice(0, 60)).toThrow(ConfigError)
    expect(() => compareAtBest(table, bestScales(table), { metric: 'judge' } as never)).toThrow(ConfigError)
    expect(() => curve(table, ARMS.base, 'speed' as Metric, resamples)).toThrow(ConfigError)
    for (const options of [{}, { seed: 1, samples: 0 }, { seed: 1, resamples: 3 }]) expect(() => evaluateArms(table, table, options as never)).toThrow(ConfigError)
  })
})

describe('evaluateArms', () => {
  const whole = evaluateArms(madeUp(good), madeUp(good, { seed: 2 }), { seed: 1, samples: 100 })

  test('reports every cell, curve and comparison, as plain data', () => {
    expect(whole.cells).toHaveLength(7 * 3 * 4)
    expect(whole.cells[0]).toMatchObject({ seed: 10, arm: ARMS.base, scale: 1, count: 150 })
    expect(whole.cells[0]?.means).toMatchObject({ correct: 0.9 })
    expect(whole.curves).toHaveLength(7 * 3)
    expect(whole.ownBest).toHaveLength(9)
    expect(whole.equalScale).toHaveLength(9 * 4)
    expect(whole.falsifiers).toHaveLength(7)
    expect(JSON.parse(JSON.stringify(whole))).toEqual(whole)
  })

  test('arms of other names compare by pairs that are named, over prompts where seeds share their weights', () => {
    const table = madeUp({ plain: { height: -0.3 }, better: { height: -0.25 } })
    const selection = madeUp({ plain: { height: -0.3 }, better: { height: -0.25 } }, { seed: 2 })
    const found = compareArms({ ...table, clusters: 'item' }, selection, { seed: 1, samples: 100, pairs: [['better', 'plain']] })
    expect(found.ownBest.map(({ a, b }) => [a, b])).toEqual([['better', 'plain']])
    expect(found.ownBest[0]?.clusters).toBe(150)
    expect(found.ownBest[0]?.winRate.low).toBeGreaterThan(0.9)
    expect(found.ownBest[0]?.wilson.mean).toBe(found.ownBest[0]?.winRate.mean)
    expect(found.cells[0]?.means['correct']).toBe(0.9)
    expect(() => compareArms(table, selection, { seed: 1 } as never)).toThrow(ConfigError)
  })

  test('the bootstrap is seeded: a second evaluation is the same', () => {
    expect(evaluateArms(madeUp(good), madeUp(good, { seed: 2 }), { seed: 1, samples: 100 })).toEqual(whole)
  })
})
