import { expect, test } from 'vitest'
import {
  at, attentionKeyGrads, attentionQueryGrad, attentionRow, convEntry, convInputEntry, convWeightEntry, erf, feedForwardRow, gegluEntry, gelu, groupNormSilu,
  matmulEntry, netLoss, netShapes, relativeError, samples,
} from './index.ts'

/** Numbers without a pattern. */
const noise = (n: number, seed: number): Float64Array => Float64Array.from({ length: n }, (_, i) => Math.sin(12.9898 * i + 78.233 * seed))

/** Slope of `f` by each of some entries of x. */
function slopes(f: (x: Float64Array) => number, x: Float64Array, entries: readonly number[], h = 1e-5): number[] {
  const at = (i: number, by: number): number => f(x.map((v, k) => (k === i ? v + by : v)))
  return entries.map((i) => (at(i, h) - at(i, -h)) / (2 * h))
}

test('products, convolutions and attention give results that can be worked out by hand', () => {
  expect([0, 1, 2, 3].map((i) => matmulEntry([1, 2, 3, 4], [5, 6, 7, 8], [2, 2], i))).toEqual([19, 22, 43, 50])
  // [1,3] × [3,2]
  expect([0, 1].map((i) => matmulEntry([1, 2, 3], [1, 4, 2, 5, 3, 6], [3, 2], i))).toEqual([14, 32])
  const ones = new Float32Array(9).fill(1)
  const conv = { channels: 1, filters: 1, height: 3, width: 3, stride: 1 }
  expect(samples(9, 9).map((i) => convEntry(ones, ones, conv, i))).toEqual([4, 6, 4, 6, 9, 6, 4, 6, 4])
  expect(samples(4, 4).map((i) => convEntry(ones, ones, { ...conv, stride: 2 }, i))).toEqual([4, 4, 4, 4])
  // Equal keys share the attention, so values are averaged.
  expect([...attentionRow({ q: [1, 2], k: [3, 3], v: [10, 20] }, { heads: 1, queries: 2, keys: 2, width: 1 }, 1)]).toEqual([15])
})

test('gradients of convolutions are slopes of their convolution', () => {
  const sizes = { channels: 2, filters: 3, height: 4, width: 5, stride: 1 }
  const [x, w, g] = [noise(2 * 20, 1), noise(3 * 2 * 9, 2), noise(3 * 20, 3)]
  const value = (a: Float64Array, b: Float64Array): number => g.reduce((sum, c, i) => sum + c * convEntry(a, b, sizes, i), 0)
  const [pixels, taps] = [samples(x.length, 13), samples(w.length, 13)]
  slopes((v) => value(v, w), x, pixels).forEach((slope, k) => { expect(convInputEntry(g, w, sizes, pixels[k] ?? 0)).toBeCloseTo(slope, 6) })
  slopes((v) => value(x, v), w, taps).forEach((slope, k) => { expect(convWeightEntry(x, g, sizes, taps[k] ?? 0)).toBeCloseTo(slope, 6) })
})

test('gradients of attention are slopes of attention', () => {
  const sizes = { heads: 2, queries: 3, keys: 4, width: 2 }
  const arrays = { q: noise(12, 1), k: noise(16, 2), v: noise(16, 3) }
  const g = noise(12, 4)
  const value = (replaced: Partial<typeof arrays>): number => samples(6, 6).reduce((sum, row) =>
    sum + attentionRow({ ...arrays, ...replaced }, sizes, row).reduce((s, y, c) => s + y * at(g, row * 2 + c), 0), 0)
  const of = (name: keyof typeof arrays, row: number): number[] => slopes((x) => value({ [name]: x }), arrays[name], [2 * row, 2 * row + 1])
  const close = (got: ArrayLike<number> | undefined, want: readonly number[]): void => {
    want.forEach((v, i) => { expect(got?.[i]).toBeCloseTo(v, 6) })
  }
  for (const row of [0, 4, 5]) close(attentionQueryGrad(arrays, g, sizes, row), of('q', row))
  const { k, v } = attentionKeyGrads(arrays, g, sizes, 1, [0, 3])
  ;[0, 3].forEach((key, i) => {
    close(k[i], of('k', 4 + key))
    close(v[i], of('v', 4 + key))
  })
})

test('the error function has the values of its tables, and its gates follow', () => {
  // Abramowitz & Stegun, table 7.1.
  for (const [x, value] of [[0, 0], [0.5, 0.5204998778], [1, 0.8427007929], [1.98, 0.9948920004], [2, 0.995322265]] as const) {
    expect(erf(x)).toBeCloseTo(value, 9)
    expect(erf(-x)).toBeCloseTo(-value, 9)
  }
  expect(erf(3)).toBeCloseTo(0.9999779095030014, 14)
  expect(erf(9)).toBe(1)
  expect(gelu(1)).toBeCloseTo(0.8413447461, 9)
  expect(gegluEntry([2, 3, 1, 0], 2, 0)).toBeCloseTo(1.6826894921, 9)
  expect(gegluEntry([2, 3, 1, 0], 2, 1)).toBe(0)
  expect([...groupNormSilu([-1, 1, 5, 7], [1, 1], [0, 0], 2)].map((v) => v.toFixed(4))).toEqual(['-0.2689', '0.7311', '-0.2689', '0.7311'])
  // One row of width 1: 3 → (2·3 + 1)·gelu(0·3 + 1), times 10, plus 5.
  const row = feedForwardRow({ x: [3], w1: [2, 0], b1: [1, 1], w2: [10], b2: [5] }, [1, 1], 0)
  expect(row[0]).toBeCloseTo(70 * 0.8413447461 + 5, 7)
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
