import { expect, test } from 'vitest'
import type { Comparison, Library, Measurement, Results } from '../results.ts'
import { bytesText, digits, rate, ratioText } from './format.ts'
import { renderMarkdown, renderPage, renderTable } from './index.ts'

const library = (name: string, software = true): Library => ({ name, version: '1', adapter: software ? 'A' : '', software })
const measured = (name: string, wall: readonly number[], more: Partial<Measurement> = {}): Measurement =>
  ({ library: name, wall, cpu: wall.map((t) => 2 * t), error: 1e-7, cold: 500, warm: 20, runs: 9, quartiles: [wall[0] ?? 0, wall.at(-1) ?? 0], ...more })
const comparison = (id: string, title: string, more: Partial<Comparison>): Comparison =>
  ({ id, title, group: 'matrix products', work: { amount: 2e9, unit: 'FLOP' }, measurements: [], foreign: 0, idle: 0, ...more })

const results: Results = {
  date: '2026-01-02', host: { cpu: 'Some CPU', cores: 2, node: '20.0.0', platform: 'linux' }, rounds: 3,
  libraries: [library('ours'), library('theirs'), library('numpy', false)], absent: { torch: 'python3 has no torch' },
  comparisons: [
    comparison('matmul-1024', 'matmul 1024', {
      measurements: [
        measured('ours', [100, 200, 100], { trace: { dispatches: 1, submits: 1, bindGroups: 0, buffers: 0, bytes: 0 } }),
        measured('theirs', [250, 500, 260], { trace: { dispatches: 1, submits: 1, bindGroups: 1, buffers: 1, bytes: 4_194_304 } }),
        measured('numpy', [10, 10, 10]),
      ],
      foreign: 0.2,
    }),
    comparison('chain', 'a <chain>', {
      group: 'many small operations', work: { amount: 500, unit: 'op' },
      measurements: [measured('ours', [10, 10, 10]), { library: 'theirs', problem: 'wrong: error 1', error: 1, warm: 5, wall: [], cpu: [], runs: 0 }],
    }),
    comparison('unet', 'a model', {
      group: 'models of ours', measurements: [measured('ours', [200, 200, 400])], beside: { title: 'matmul 1024', work: { amount: 2e9, unit: 'FLOP' }, wall: [100, 80, 100] },
    }),
    comparison('step', 'a step', { group: 'scheduler steps', work: { amount: 50, unit: 'op' }, measurements: [measured('ours', [1, 1.5, 1])] }),
  ],
}

test('rates, ratios and sizes have three digits', () => {
  expect(rate({ amount: 1e9, unit: 'byte' }, 100)).toBe('10.0 GB/s')
  expect(rate({ amount: 500, unit: 'op' }, 1)).toBe('2.00 µs/op')
  expect(digits(1234.5)).toBe('1235')
  expect(ratioText({ median: 2.5, min: 2, max: 12 })).toBe('2.50× (2.00–12.0)')
  expect(ratioText({ median: 2.5, min: 2.5, max: 2.5 })).toBe('2.50×')
  expect([0, 512, 4_194_304, 67_108_864].map(bytesText)).toEqual(['0', '512 B', '4.19 MB', '67.1 MB'])
})

test('the report shows ratios round by round, rates of ours, and what could not be measured', () => {
  const text = renderMarkdown(results).replaceAll(/ +/g, ' ')
  expect(text).toContain('| matmul 1024 | 20.0 GFLOPS | 2.50× (2.50–2.60) | 0.10× (0.05–0.10) |')
  expect(text).toContain('| a <chain> | 20.0 µs/op | wrong result | – |')
  expect(text).toContain('theirs took 2.50 times as long as ours (geometric mean over 1 workload) and was faster in 0.')
  expect(text).toContain('| matmul 1024 | 1 / 1 / 0 / 0 | 1 / 1 / 1 / 4.19 MB | – |')
  expect(text).toContain('- theirs, chain: wrong: error 1')
  expect(text).toContain('- torch: python3 has no torch')
  expect(text).toContain('Other work took up to 20 % of the cores')
  expect(text).toContain('says nothing about the order on a real GPU')
})

test('models are held against the matrix product of the same rounds, and steps against their target', () => {
  const text = renderTable(results).replaceAll(/ +/g, ' ')
  // Two, two and a half and four times the time of the product for the same work.
  expect(text).toContain('| a model | 200 ms | 400 ms | 10.0 GFLOPS | 40 % (25 %–50 %) |')
  expect(text).toContain('| a step | 40.0 µs | 40.0–60.0 | yes |')
})

test('the page stands alone, escapes what it shows, and draws a mark for each ratio', () => {
  const page = renderPage(results)
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/)
  expect(page).toContain('a &lt;chain&gt;')
  expect(page).not.toContain('a <chain>')
  expect(page.match(/<svg /g)).toHaveLength(3)
  expect(page).toContain('Adapter: A.')
})

test('where no first result was timed, nothing is said of any', () => {
  const quick: Results = {
    ...results, comparisons: results.comparisons.map((c) => ({ ...c, measurements: c.measurements.map(({ cold: _, warm: __, ...m }) => m) })),
  }
  expect(renderMarkdown(results)).toContain('to the first result')
  expect(renderMarkdown(quick)).not.toContain('to the first result')
  expect(renderPage(quick)).not.toContain('to the first result')
  expect(renderPage(quick).match(/<svg /g)).toHaveLength(2)
})

test('a run of one library alone, and one of nothing, can be reported', () => {
  const alone: Results = { ...results, libraries: [library('ours')], comparisons: results.comparisons.slice(2).map(({ beside: _, ...c }) => c) }
  expect(renderMarkdown(alone)).toContain('No matrix product was timed')
  expect(renderPage(alone)).toContain('<table>')
  expect(renderMarkdown({ ...results, comparisons: [] })).toContain('# Benchmarks')
  expect(renderPage({ ...results, comparisons: [] })).not.toContain('<svg')
})
