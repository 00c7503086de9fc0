import { describe, expect, test } from 'vitest'
import { fixed, gainSpan, percentSpan, signed } from '../report/index.ts'
import { answer, caveats, findings, headline } from './map/index.ts'
import { rankCorrelation } from './map/rows.ts'
import { suitePage } from './page.ts'
import type { SuiteResults } from './results.ts'
import { syntheticResults } from './synthetic-results.fixture.ts'

const results = syntheticResults()
const page = suitePage(results)

/** Texts of the cells of all rows of the table that follows a heading. */
function tableBelow(heading: string, text = page): string[][] {
  const table = text.slice(text.indexOf(`<h2>${heading}</h2>`)).match(/<tbody>(.*?)<\/tbody>/s)![1]!
  return table.split('</tr>').slice(0, -1).map((row) => [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = '']) => cell))
}

describe('suitePage', () => {
  test('gives one page that fetches nothing and runs nothing', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true)
    expect(page).not.toMatch(/<script|<link|<img|@import|javascript:| (?:src|href)=/)
    expect(page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/(https?:)?\/\/[\w.-]+\.\w+/)
  })

  test('loses no row, and shows the numbers of each', () => {
    const cells = tableBelow('All comparisons')
    expect(cells).toHaveLength(results.rows.length)
    results.rows.forEach(({ steps, reversed, plain, geometry }, i) => {
      const cosines = geometry.map(({ cosine }) => cosine)
      const mean = cosines.reduce((a, b) => a + b) / cosines.length
      expect(cells[i]).toContain(String(steps))
      expect(cells[i]).toContain(`${fixed(mean, 2)} [${fixed(Math.min(...cosines), 2)}, ${fixed(Math.max(...cosines), 2)}]`)
      for (const held of [reversed, plain]) {
        expect(cells[i]).toContain(gainSpan(held.difference))
        expect(cells[i]).toContain(percentSpan(held.winRate))
      }
    })
    expect(new Set(cells.map((row) => row.slice(0, 4).join())).size).toBe(results.rows.length)
  })

  test('shows every candidate length, arm and setting of the recipe, and no hole where a number should be', () => {
    const candidates = tableBelow('How long each trains')
    expect(candidates).toHaveLength(results.choice.candidates.length)
    expect(candidates.filter((row) => row.at(-1) === 'yes')).toHaveLength(Object.keys(results.choice.lengths).length)
    for (const { id } of results.arms) expect(page).toContain(`>${id}<`)
    const leaves = (value: object): string[] => Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
      typeof one === 'object' && one !== null && !Array.isArray(one) ? leaves(one) : [key])
    for (const name of leaves(results.recipe)) expect(page).toMatch(new RegExp(`<dt>([\\w.]+\\.)?${name}</dt>`))
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  test('draws a chart for each method and setting against −η and against none, in colours of the page', () => {
    expect(page.match(/<svg /g)).toHaveLength(2 * (6 + 3))
    expect(page).not.toMatch(/#0[0-9a-d]0[0-9a-d]0[0-9a-d]\b/)
    const means = [...page.matchAll(/>([+−]?\d\.\d{4})<\/text>/g)].map(([, text]) => text)
    expect(means).toHaveLength(2 * results.rows.length)
  })

  test('escapes what comes from data', () => {
    expect(suitePage(syntheticResults({ adapter: '<b>"a" & b' }))).toContain('&lt;b&gt;&quot;a&quot; &amp; b')
  })

  test('a negative that nobody knew of is shown by its name', () => {
    const [first, ...rest] = results.rows
    const changed: SuiteResults = { ...results, rows: [{ ...first!, variant: 'newer' }, ...rest] }
    expect(tableBelow('All comparisons', suitePage(changed))[0]![0]).toBe('DPO, newer')
  })

  test('the same results give the same page, also after a round trip through JSON, and few or none give one', () => {
    expect(suitePage(JSON.parse(JSON.stringify(results)) as SuiteResults)).toBe(page)
    for (const count of [0, 1]) {
      expect(suitePage({ ...results, rows: results.rows.slice(0, count), arms: [] })).not.toMatch(/NaN|undefined|Infinity/)
    }
  })
})

describe('what the page says', () => {
  const total = results.rows.length
  const counts = (gain: number): RegExp => new RegExp(`win ${gain > 0 ? total : 0} of ${total} comparisons, lose ${gain < 0 ? total : 0} and leave ${gain === 0 ? total : 0} undecided`)

  test('follows the numbers, whichever way they fall', () => {
    for (const gain of [-0.1, 0, 0.1]) expect(headline(syntheticResults({ gain: () => gain }))).toMatch(counts(gain))
    const kept = results.rows.filter(({ reversed: { difference, adjustedPValue } }) => difference.low > 0 && adjustedPValue < 0.05).length
    expect(answer(results)).toContain(`over all ${total}, ${kept} of these wins`)
    expect(answer(results)).toContain('about 3 intervals would exclude 0 by chance')
  })

  test('names the highest and the lowest difference, and how they go with the angle', () => {
    const sorted = results.rows.map(({ reversed }) => reversed.difference).sort((a, b) => a.mean - b.mean)
    const [highest, lowest, correlation] = findings(results)
    expect(highest).toContain(`${signed(sorted.at(-1)!.mean)} [`)
    expect(lowest).toContain(`${signed(sorted[0]!.mean)} [`)
    expect(correlation).toContain('+1.00 on the base, +1.00 beside η, +1.00 merged with η')
    expect(findings(syntheticResults({ gain: (cosine) => -cosine })).at(-1)).toContain('−1.00 on the base')
    expect(findings(syntheticResults({ gain: () => 0 })).at(-1)).toContain('none to compute on the base')
  })

  test('says what limits it', () => {
    const ends = results.arms.filter(({ interior }) => !interior).length
    expect(caveats(results).join()).toContain(`for ${ends} of ${results.arms.length} arms`)
    expect(caveats(results).join()).toContain(`none that Holm corrects over 63 comparisons below ${(63 * 2 / (results.recipe.evaluation.resamples + 1)).toPrecision(2)}`)
    expect(caveats(syntheticResults({ seeds: 1 }))[0]).toMatch(new RegExp(`^1 training seed of ${results.recipe.evaluation.perSeed} pairs`))
  })

  test('rank correlations are those of ranks, ties shared', () => {
    expect(rankCorrelation([1, 2, 3, 4], [1, 4, 9, 16])).toBe(1)
    expect(rankCorrelation([1, 2, 3], [3, 1, 2])).toBeCloseTo(-0.5, 12)
    expect(rankCorrelation([1, 1, 2], [5, 6, 7])).toBeCloseTo(Math.sqrt(3) / 2, 12)
    expect(rankCorrelation([1, 2], [3, 3])).toBeNaN()
  })
})
