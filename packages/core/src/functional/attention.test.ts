import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { tensor, type Tensor, zeros } from '../graph/index.ts'
import { FakeHost, gradientGap, interpret, noise } from '../testing/index.ts'
import { logSoftmax, logSumExp, scaledDotProductAttention } from './index.ts'

const lowest = -3.4028234663852886e38

test('log-sum-exp of infinities is that of torch', () => {
  const x = tensor(new FakeHost(), [Infinity, 0, -Infinity, -Infinity, -Infinity, 0, NaN, 0, lowest, lowest, Infinity, -Infinity], [6, 2], { allowNonFinite: true })
  expect([...interpret([logSumExp(x)])[0] ?? []]).toEqual([Infinity, -Infinity, 0, NaN, lowest, Infinity])
  expect([...interpret([logSoftmax(x)])[0] ?? []].slice(4, 6)).toEqual([-Infinity, 0])
  expect([...interpret(gradients(logSumExp(x).sum(), [x]))[0] ?? []].slice(4, 6)).toEqual([0, 1])
})

test('a fully masked row is 0 and so are its gradients; a row at the lowest number has the mean of the values', () => {
  const host = new FakeHost()
  const mask = tensor(host, [-Infinity, -Infinity, lowest, lowest, lowest, -Infinity], [1, 1, 3, 2], { allowNonFinite: true })
  const [q, k, v] = [[1, 2, 3], [4, 5], [6, 8]].map((row) => tensor(host, row, [1, 1, row.length, 1])) as [typeof mask, typeof mask, typeof mask]
  const o = scaledDotProductAttention(q, k, v, { mask })
  expect([...interpret([o])[0] ?? []]).toEqual([0, 7, 6])
  const [dq, , dv] = interpret(gradients(o.sum(), [q, k, v]))
  expect(dq?.[0]).toBe(0)
  expect([...dv ?? []]).toEqual([1.5, 0.5])
})

const composed = [
  ['plain', [2, 2, 5, 300], 7, {}],
  ['one mask', [1, 2, 4, 257], 4, { mask: [1, 1, 4, 4] }],
  ['a mask for each query and head, tokens first', [1, 3, 2, 260], 5, { mask: [1, 2, 3, 5], layout: 'BNHD' }],
  ['causal', [1, 1, 4, 258], 6, { causal: true, scale: 0.3 }],
] as const

test.each(composed)('heads beyond the kernel\'s registers are attention by its definition: %s', (_, shape, keys, { mask, ...options }: { mask?: readonly number[]; causal?: boolean; layout?: 'BNHD'; scale?: number }) => {
  const host = new FakeHost()
  const tokenAxis = options.layout === 'BNHD' ? 1 : 2
  const random = (sizes: readonly number[], seed: number): Tensor => tensor(host, noise(sizes.reduce((a, b) => a * b, 1), seed), sizes)
  const other = shape.map((n, axis) => (axis === tokenAxis ? keys : n))
  const [q, k, v] = [random(shape, 1), random(other, 2), random(other, 3)]
  const seen = mask && tensor(host, noise(mask.reduce((a, b) => a * b, 1), 4).map((x, i) => (i % 5 === 0 ? -Infinity : x)), mask, { allowNonFinite: true })
  const y = scaledDotProductAttention(q, k, v, { ...options, ...(seen ? { mask: seen } : {}) })
  expect(y.shape).toEqual(q.shape)
  const [qs, ks, vs, ms] = interpret([q, k, v, ...(seen ? [seen] : [])]) as [Float64Array, Float64Array, Float64Array, Float64Array?]
  const [got] = interpret([y])
  const [batch, heads, queries, width] = [shape[0], shape[3 - tokenAxis], shape[tokenAxis], shape[3]] as [number, number, number, number]
  const place = (b: number, h: number, n: number, tokens: number): number => (tokenAxis === 1 ? (b * tokens + n) * heads + h : (b * heads + h) * tokens + n) * width
  for (let b = 0; b < batch; b++) for (let h = 0; h < heads; h++) for (let n = 0; n < queries; n++) {
    const weights = Array.from({ length: keys }, (_, m) => {
      if (options.causal && m > n) return 0
      let dot = 0
      for (let d = 0; d < width; d++) dot += qs[place(b, h, n, queries) + d]! * ks[place(b, h, m, keys) + d]!
      return Math.exp(dot * (options.scale ?? 1 / Math.sqrt(width)) + (ms && mask ? ms[((b % mask[0]!) * mask[1]! + h % mask[1]!) * queries * keys + n * keys + m]! : 0))
    })
    const total = weights.reduce((x, w) => x + w, 0)
    for (let d = 0; d < width; d += 50) {
      const want = weights.reduce((x, w, m) => x + w * vs[place(b, h, m, keys) + d]!, 0) / total
      expect(got![place(b, h, n, queries) + d]).toBeCloseTo(want, 10)
    }
  }
  expect(gradientGap(y.square().sum(), { q, k, v }, { each: 4 }).relative).toBeLessThan(1e-6)
})

test('queries of heads beyond the registers are taken in parts, none of which makes more than 128 MiB of scores', () => {
  const host = new FakeHost()
  const big = zeros(host, [1, 1, 16_384, 512])
  const { buffers } = host.plan(scaledDotProductAttention(big, big, big))
  // Two parts of scores may be alive where one is made as the other is read; all of them would be a GiB.
  expect(Math.max(...buffers.map((b) => b.bytes))).toBeLessThanOrEqual(2 ** 27)
})

test('mistakes in what large heads are given are told as for small ones', () => {
  const host = new FakeHost()
  const q = zeros(host, [1, 1, 2, 300])
  expect(() => scaledDotProductAttention(q, zeros(host, [1, 1, 2, 301]), zeros(host, [1, 1, 2, 301]))).toThrow(/^attention: expected q \[B,H,N,D\]/)
  expect(() => scaledDotProductAttention(q, q, q, { mask: zeros(host, [1, 1, 2, 3]) })).toThrow(/expected a mask/)
})
