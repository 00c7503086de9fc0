import { expect, test } from 'vitest'
import { attentionRow, convEntry, groupNormSilu, matmulEntry, netLoss, netShapes, relativeError, samples } from './reference.ts'
import { rate, report } from './report.ts'
import type { Results } from './results.ts'

test('references give results that can be worked out by hand', () => {
  expect([0, 1, 2, 3].map((i) => matmulEntry([1, 2, 3, 4], [5, 6, 7, 8], 2, i))).toEqual([19, 22, 43, 50])
  const ones = new Float32Array(9).fill(1)
  const conv = { channels: 1, filters: 1, height: 3, width: 3, stride: 1 }
  expect(samples(9, 9).map((i) => convEntry(ones, ones, conv, i))).toEqual([4, 6, 4, 6, 9, 6, 4, 6, 4])
  expect(samples(4, 4).map((i) => convEntry(ones, ones, { ...conv, stride: 2 }, i))).toEqual([4, 4, 4, 4])
  // Equal keys share the attention, so values are averaged.
  expect([...attentionRow([1, 2], [3, 3], [10, 20], [2, 1], 1)]).toEqual([15])
  expect([...groupNormSilu([-1, 1, 5, 7], [1, 1], [0, 0], 2)].map((v) => v.toFixed(4))).toEqual(['-0.2689', '0.7311', '-0.2689', '0.7311'])
})

test('a net of zeros is as uncertain as ten classes allow', () => {
  const weights = Object.fromEntries(Object.entries(netShapes).map(([name, shape]) => [name, new Float32Array(shape.reduce((a: number, b) => a * b, 1))]))
  const images = { shape: [2, 1, 28, 28], data: new Float32Array(2 * 784).fill(1) }
  expect(netLoss(images, [3, 7], weights)).toBeCloseTo(Math.log(10), 12)
})

test('one wrong or missing number among many is an error', () => {
  const want = (i: number): number => i + 1
  const good = Float32Array.from({ length: 50 }, (_, i) => want(i))
  expect(relativeError(good, want, samples(50, 50))).toBe(0)
  expect(relativeError(good.map((v, i) => (i === 17 ? v + 3 : v)), want, samples(50, 50))).toBeCloseTo(3 / Math.sqrt((50 * 51 * 101) / 6 / 50), 6)
  expect(relativeError(good.subarray(0, 49), want, samples(50, 50))).toBe(Infinity)
})

test('the report shows rates, ratios and what could not be measured, and warns of a busy machine', () => {
  const rows = [{ id: 'm', title: 'matmul', work: { amount: 2e9, unit: 'FLOP' } }, { id: 'c', title: 'chain', work: { amount: 500, unit: 'op' } }] as const
  const measured = { error: 1e-7, first: 5, runs: 3, best: 90, cpu: 150 }
  const results: Results = {
    date: '2026-01-02',
    host: { cpu: 'Some CPU', cores: 2, node: '20.0.0', platform: 'linux', load: { ours: 2.25, theirs: 0.5 } },
    libraries: [
      { name: 'ours', version: '1', adapter: 'A', software: true, measurements: [{ id: 'm', ...measured, wall: 100 }, { id: 'c', ...measured, wall: 10 }] },
      { name: 'theirs', version: '2', adapter: 'A', software: true, measurements: [{ id: 'm', ...measured, wall: 250 }, { id: 'c', problem: 'wrong: error 1' }] },
    ],
  }
  const text = report(results, rows)
  expect(text).toContain('| matmul | 20.0 GFLOPS | 8.00 GFLOPS |')
  expect(text).toContain('| matmul | 1.00× | 2.50× |')
  expect(text).toContain('| chain | 20.0 µs/op | wrong result |')
  expect(text).toContain('other work took part')
  expect(text).toContain('theirs, c: wrong: error 1')
  expect(rate({ amount: 1e9, unit: 'byte' }, 100)).toBe('10.0 GB/s')
})
