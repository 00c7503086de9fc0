import { ShapeError } from '@antipode/core'
import { ARMS } from '@antipode/npo/evaluation'
import { decode } from 'fast-png'
import { describe, expect, test } from 'vitest'
import { html } from '@antipode/report'
import { imageGrid } from './image-grid.ts'
import { byteSize, duration, fixed, pValueText, signed, tickText } from './numbers.ts'
import { renderReport } from './render-report.ts'
import type { ReportData } from './report-data.ts'
import { PILOT_WORLD, syntheticReport } from './synthetic-report.fixture.ts'
import { caveats, findings, headline, judgeOptimum } from './wording.ts'

const data = syntheticReport()
const page = renderReport(data)

/** A report of a world where some arms differ from the pilot's. */
const world = (change: typeof PILOT_WORLD): ReportData => syntheticReport({ world: { ...PILOT_WORLD, ...change } })

describe('renderReport', () => {
  test('gives one page that fetches nothing and runs nothing', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true)
    expect(page).not.toMatch(/<script|<link|@import|javascript:/)
    expect(page).toMatch(/<meta charset="utf-8" \/>\s*<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; /)
    expect(page.match(/Content-Security-Policy" content="([^"]*)"/)?.[1]).not.toMatch(/script-src|connect-src|https?:/)
    const addresses = page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '').match(/(https?:)?\/\/[\w.-]+\.\w+/g)
    expect(addresses).toBeNull()
    for (const [, source] of page.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(source).toMatch(/^data:image\/png;base64,/)
  })

  test('draws every chart as themed SVG and every grid as a picture', () => {
    const charts = 6 + data.training.flatMap(({ charts }) => charts).length
    expect(page.match(/<svg /g)).toHaveLength(charts)
    expect(page.match(/<img /g)).toHaveLength(data.grids.length)
    expect(page).not.toMatch(/#0[0-9a-d]0[0-9a-d]0[0-9a-d]\b/) // a marker colour that was not swapped for its variable
    expect(page).toContain('stroke="var(--series1)"')
  })

  test('shows every arm, falsifier, comparison, phase and setting, and no hole where a number should be', () => {
    for (const { id } of data.evaluation.falsifiers) expect(page).toContain(`>${id}<`)
    for (const { phase } of data.timings) expect(page).toContain(phase)
    for (const { settings } of data.recipe) for (const name of Object.keys(settings)) expect(page).toContain(name)
    for (const label of ['base/base', 'base/NPO', 'DPO/DPO', 'DPO/merged', 'base/(−η)', 'base/random']) {
      expect(page).toContain(label)
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  test('escapes what comes from data', () => {
    expect(page).toContain('A made-up judge &lt;for tests&gt; &amp; nothing else.')
    expect(html`<b title="${'"'}">${'<i>'}${[html`<u>${1}</u>`, 'a&b']}</b>`.markup).toBe(
      '<b title="&quot;">&lt;i&gt;<u>1</u>a&amp;b</b>',
    )
  })

  test('the same data give the same page, also after a round trip through JSON', () => {
    expect(renderReport(JSON.parse(JSON.stringify(data)) as ReportData)).toBe(page) // what was written is read back
  })

  test('a run with few arms, one seed and no pictures still renders', () => {
    const few = syntheticReport({ world: { [ARMS.base]: PILOT_WORLD[ARMS.base]!, [ARMS.dpo]: PILOT_WORLD[ARMS.dpo]! } })
    const small = renderReport({ ...few, grids: [], training: [], appearance: [], offsets: [] })
    expect(small).toContain('was not sampled')
    expect(small).not.toMatch(/NaN|undefined/)
  })
})

describe('wording', () => {
  test('the headline follows the numbers', () => {
    expect(headline(data)).toMatch(/beats guiding away from the base, and it beats the control/)
    expect(headline(world({ [ARMS.npo]: { height: -0.46, optimum: 2 } }))).toMatch(/does worse .*−η does better/)
    expect(headline(world({ [ARMS.npo]: PILOT_WORLD[ARMS.base]! }))).toMatch(/^No difference shown/)
    const tied = headline(world({ [ARMS.extrapolation]: PILOT_WORLD[ARMS.npo]! }))
    expect(tied).toMatch(/but no better, as far as this run can tell/)
    expect(headline(world({ [ARMS.extrapolation]: { height: -0.35, optimum: 2 } }))).toMatch(
      /but the control .* better/,
    )
  })

  test('findings give the share of the gain that −η reproduces, and only if there is a gain', () => {
    const share = findings(data).find((sentence) => sentence.includes('reproduces'))
    expect(Number(/reproduces (\d+)%/.exec(share!)?.[1])).toBeGreaterThan(60)
    expect(findings(world({ [ARMS.npo]: { height: -0.46, optimum: 2 } })).join()).not.toContain('reproduces')
    expect(findings(world({ [ARMS.extrapolation]: { height: -0.36, optimum: 2 } })).join()).toContain(
      'at least as much',
    )
  })

  test('the judge is praised for an interior optimum only if there is one', () => {
    expect(judgeOptimum(data)).toMatch(/rises .* and falls .* interior optimum/)
    const rising = world({ [ARMS.base]: { height: -0.41, optimum: 12 } })
    expect(judgeOptimum(rising)).toMatch(/edge of the grid: an interior optimum is not shown/)
    expect(caveats(rising).join()).toMatch(/Best scale at the edge of the grid for base\/base \(w = 6\)/)
    expect(caveats(data).join()).not.toContain('edge')
  })
})

describe('imageGrid', () => {
  const images = Float32Array.from([1, -1, 0, 3, -1, -1, -1, -1]) // [1, 2, 1, 2, 2]

  test('is a PNG with dark ink, white paper and transparent gaps', () => {
    const uri = imageGrid(images, { rows: 1, columns: 2, size: 2 })
    const png = decode(Buffer.from(uri.replace('data:image/png;base64,', ''), 'base64'))
    expect([png.width, png.height, png.channels]).toEqual([5, 2, 2])
    expect(Array.from(png.data)).toEqual(
      [
        [0, 255, 255, 255, 0, 0, 255, 255, 255, 255],
        [128, 255, 0, 255, 0, 0, 255, 255, 255, 255],
      ].flat(),
    )
  })

  test('a grid with missing images is refused', () => {
    expect(() => imageGrid(images, { rows: 2, columns: 2, size: 2 })).toThrow(ShapeError)
    expect(() => imageGrid(new Float32Array(0), { rows: 0, columns: 2, size: 2 })).toThrow(ShapeError)
  })
})

test('numbers read as people write them', () => {
  expect([fixed(-0.00001, 3), fixed(-1.25, 1), signed(0.5, 1), signed(-0.5, 1), signed(0, 1)]).toEqual([
    '0.000',
    '−1.3',
    '+0.5',
    '−0.5',
    '0.0',
  ])
  expect([duration(9.94), duration(61), duration(120), duration(3700)]).toEqual([
    '9.9 s',
    '1 min 1 s',
    '2 min',
    '1 h 2 min',
  ])
  expect([byteSize(2048), byteSize(5 * 2 ** 20), byteSize(1.5 * 2 ** 30)]).toEqual(['2 KiB', '5 MiB', '1.50 GiB'])
  expect([pValueText(0.0004), pValueText(0.0441)]).toEqual(['< 0.001', '0.044'])
  expect([tickText(0.3), tickText(-0.005), tickText(0)]).toEqual(['+0.30', '−0.005', '0.00'])
})
