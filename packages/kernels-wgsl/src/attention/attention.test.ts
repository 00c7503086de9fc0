import { describe, expect, test } from 'vitest'
import { DTypeError, ShapeError, UnsupportedError } from '../errors.ts'
import type { RefTensor } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { type CaseInput, noise, type OpCase, testOp } from '../testing.ts'
import { permute } from '../view/index.ts'
import { attention, type AttentionAttrs, attentionGradKV, attentionGradQ } from './index.ts'

const plain: AttentionAttrs = { scale: 0.5, causal: false, hasMask: false, layout: 'BHND' }
const causal: AttentionAttrs = { ...plain, causal: true }
const masked: AttentionAttrs = { ...plain, hasMask: true }
const tokens: AttentionAttrs = { ...plain, layout: 'BNHD' }
const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const })
const qkv = (b: number, h: number, n: number, m: number, d: number) => [[b, h, n, d], [b, h, m, d], [b, h, m, d]]

/** The same cases with heads beside each other in a token: of all inputs before `maskAt`, the axes of heads and tokens swapped. */
const overTokens = (cases: readonly OpCase<AttentionAttrs>[], maskAt: number): OpCase<AttentionAttrs>[] => cases.map((c) => {
  const swapped = (shape: readonly number[]): number[] => [shape[0] ?? 0, shape[2] ?? 0, shape[1] ?? 0, ...shape.slice(3)]
  const inputs = c.inputs.map((x, k): CaseInput => (k >= maskAt ? x : 'shape' in x ? { ...x, shape: swapped(x.shape) } : swapped(x)))
  return { ...c, inputs, attrs: { ...c.attrs, layout: 'BNHD' } }
})

/** Switches off every third key, and for every fourth query all of them. */
const mask = (shape: readonly [number, number, number, number]) => ({
  shape,
  values: (i: number): number => {
    const key = i % shape[3]
    const query = Math.floor(i / shape[3]) % shape[2]
    return query % 4 === 1 || key % 3 === 2 ? -Infinity : Math.sin(i)
  },
})

const lowest = -3.4028234663852886e38

/** Rows of masks that are as low as can be: some or all keys at −∞, or at f32's lowest, which f16 holds as −∞. */
const low = (shape: readonly [number, number, number, number]) => ({
  shape,
  values: (i: number): number => {
    const key = i % shape[3]
    const kinds = [-Infinity, lowest, key % 2 ? lowest : -Infinity, key % 3 ? lowest : Math.sin(i), key % 3 ? 0 : -Infinity]
    return kinds[Math.floor(i / shape[3]) % shape[2] % kinds.length] ?? 0
  },
})

/** Numbers but for some, by their flat index. */
const but = (shape: readonly number[], some: Readonly<Record<number, number>>) => ({ shape, values: (i: number) => some[i] ?? Math.sin(i * i) })

/** A query of NaN, one of ∞, and in the last key of the first head values of ∞ and NaN. */
const wild = (b: number, h: number, n: number, m: number, d: number): readonly CaseInput[] => [
  but([b, h, n, d], { [2 * d]: NaN, [4 * d + d - 1]: Infinity, [5 * d]: -Infinity }),
  but([b, h, m, d], {}),
  but([b, h, m, d], { [m * d - 1]: Infinity, [m * d - d]: NaN }),
]

const forward: readonly OpCase<AttentionAttrs>[] = [
  { inputs: qkv(1, 1, 1, 1, 1), attrs: plain },
  { inputs: qkv(1, 2, 5, 3, 4), attrs: plain },
  { inputs: qkv(2, 1, 3, 7, 5), attrs: plain },
  { name: 'one key', inputs: qkv(1, 2, 9, 1, 6), attrs: plain },
  { name: 'digit tokens', inputs: qkv(2, 3, 16, 16, 16), attrs: plain },
  { name: 'more queries than a block', inputs: qkv(1, 1, 70, 45, 16), attrs: plain },
  { name: 'two channel steps', inputs: qkv(1, 1, 20, 21, 32), attrs: plain },
  { name: 'odd head', inputs: qkv(1, 2, 19, 33, 40), attrs: plain },
  { name: 'head beyond the registers of a subgroup', inputs: qkv(1, 1, 9, 20, 85), attrs: plain },
  { name: 'causal', inputs: qkv(1, 2, 18, 18, 8), attrs: causal },
  { name: 'causal with fewer keys', inputs: qkv(1, 1, 11, 6, 3), attrs: causal },
  { name: 'one mask for all, rows fully masked', inputs: [...qkv(2, 2, 6, 7, 4), mask([1, 1, 6, 7])], attrs: masked },
  { name: 'a mask for each batch element', inputs: [...qkv(2, 2, 5, 4, 4), mask([2, 1, 5, 4])], attrs: masked },
  { name: 'a mask for each head', inputs: [...qkv(2, 3, 40, 9, 4), mask([1, 3, 40, 9])], attrs: { ...masked, causal: true } },
  { name: 'as low as can be', inputs: [...qkv(2, 2, 6, 7, 4), low([1, 1, 6, 7])], attrs: masked, gradient: false },
  { name: 'not finite', inputs: wild(1, 1, 20, 21, 32), attrs: plain, gradient: false },
  { name: 'packed keys, as low as can be', inputs: [...qkv(2, 2, 101, 203, 57), low([1, 2, 101, 203])], attrs: { ...masked, causal: true } },
  { name: 'packed keys, not finite', inputs: wild(2, 3, 150, 131, 40), attrs: plain },
  {
    name: 'packed keys, of which one is infinite in its last channel',
    inputs: [[2, 2, 101, 57], but([2, 2, 203, 57], { [7 * 57 + 56]: Infinity }), [2, 2, 203, 57], low([1, 2, 101, 203])], attrs: { ...masked, causal: true },
  },
  { name: 'large scores', inputs: qkv(1, 1, 9, 12, 8), attrs: { ...plain, scale: 60 }, gradient: false },
  { name: 'packed keys', inputs: qkv(2, 3, 150, 131, 40), attrs: plain },
  { name: 'packed keys, causal', inputs: qkv(1, 2, 190, 190, 60), attrs: causal },
  { name: 'packed keys, masked', inputs: [...qkv(2, 2, 101, 203, 57), mask([1, 2, 101, 203])], attrs: { ...masked, causal: true } },
  { name: 'packed keys of a large head', inputs: qkv(1, 1, 160, 163, 160), attrs: plain },
  { name: 'more heads than workgroups on an axis', inputs: qkv(1, 66_000, 1, 2, 1), attrs: plain },
]

testOp(attention, {
  constants: [3],
  differentiable: [0, 1],
  cases: [...forward, ...overTokens(forward, 3)],
  errors: [
    { name: 'heads of two sizes', inputs: [f32(1, 1, 2, 4), f32(1, 1, 2, 5), f32(1, 1, 2, 5)], attrs: plain, error: ShapeError },
    { name: 'k and v differ', inputs: [f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 3, 4)], attrs: plain, error: ShapeError },
    { name: 'mask missing', inputs: [f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4)], attrs: masked, error: ShapeError },
    { name: 'mask of another size', inputs: [f32(1, 1, 2, 4), f32(1, 1, 3, 4), f32(1, 1, 3, 4), f32(1, 1, 2, 1)], attrs: masked, error: ShapeError },
    { name: 'heads of two numbers over tokens', inputs: [f32(1, 5, 2, 4), f32(1, 5, 3, 4), f32(1, 5, 3, 4)], attrs: tokens, error: ShapeError },
    { name: 'a mask over tokens', inputs: [f32(1, 5, 2, 4), f32(1, 3, 2, 4), f32(1, 3, 2, 4), f32(1, 5, 2, 3)], attrs: { ...masked, layout: 'BNHD' }, error: ShapeError },
    { name: 'rank', inputs: [f32(1, 2, 4), f32(1, 2, 4), f32(1, 2, 4)], attrs: plain, error: ShapeError },
    { name: 'dtypes', inputs: [f32(1, 1, 2, 4), { shape: [1, 1, 2, 4], dtype: 'f16' }, f32(1, 1, 2, 4)], attrs: plain, error: DTypeError },
    { name: 'head too large', inputs: [f32(1, 1, 2, 257), f32(1, 1, 2, 257), f32(1, 1, 2, 257)], attrs: plain, error: UnsupportedError },
  ],
})

// As functions of any statistics and delta; that they are attention's gradients is what its own central differences say.
const grad = (b: number, h: number, n: number, m: number, d: number) =>
  [...qkv(b, h, n, m, d), [b, h, n, d], { ...f32(b, h, n, 2), values: (i: number) => 2 + Math.sin(i) }, f32(b, h, n)]
const cases: readonly OpCase<AttentionAttrs>[] = [
  { inputs: grad(1, 1, 1, 1, 1), attrs: plain },
  { inputs: grad(2, 2, 5, 3, 4), attrs: plain },
  { inputs: grad(1, 2, 33, 18, 16), attrs: plain },
  { name: 'odd head', inputs: grad(1, 1, 10, 35, 40), attrs: plain },
  { name: 'head beyond the registers of a subgroup', inputs: grad(1, 1, 12, 9, 70), attrs: plain },
  { name: 'causal', inputs: grad(1, 2, 18, 18, 8), attrs: causal },
  { name: 'mask', inputs: [...grad(2, 2, 6, 7, 4), mask([2, 1, 6, 7])], attrs: masked },
  { name: 'packed', inputs: grad(2, 3, 150, 131, 40), attrs: plain },
  { name: 'packed, mask and causal', inputs: [...grad(1, 2, 203, 190, 57), mask([1, 2, 203, 190])], attrs: { ...masked, causal: true } },
  { name: 'packed, large head', inputs: grad(1, 1, 160, 163, 160), attrs: plain },
  { name: 'more heads than workgroups on an axis', inputs: grad(1, 66_000, 1, 2, 1), attrs: plain, slow: true },
  { name: 'mask and causal', inputs: [...grad(1, 2, 9, 20, 4), mask([1, 2, 9, 20])], attrs: { ...masked, causal: true } },
]
/** The largest score of a query under the mask {@link low}, about, and 1/Σ. */
const ofLow = (b: number, h: number, n: number, m: number) => ({
  ...f32(b, h, n, 2),
  values: (i: number): number => [0, 0, lowest, 1 / m, lowest, 2 / m, 1, 1 / m, 1, 1 / m][(i >> 1) % n % 5 * 2 + (i & 1)] ?? 0,
})
const errors = [
  { name: 'statistics of another size', inputs: [f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 3, 2), f32(1, 1, 2)], attrs: plain, error: ShapeError },
  { name: 'log-sum-exps as statistics', inputs: [f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2), f32(1, 1, 2)], attrs: plain, error: ShapeError },
  { name: 'statistics over heads for tokens', inputs: [f32(1, 3, 2, 4), f32(1, 3, 2, 4), f32(1, 3, 2, 4), f32(1, 3, 2, 4), f32(1, 2, 3, 2), f32(1, 3, 2)], attrs: tokens, error: ShapeError },
  { name: 'statistics not in f32', inputs: [f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4), f32(1, 1, 2, 4), { shape: [1, 1, 2, 2], dtype: 'f16' as const }, f32(1, 1, 2)], attrs: plain, error: DTypeError },
]
const gradients = [
  ...cases, ...overTokens(cases, 6),
  { name: 'a mask as low as can be', inputs: [...grad(2, 2, 6, 7, 4).slice(0, 4), ofLow(2, 2, 6, 7), f32(2, 2, 6), low([2, 1, 6, 7])], attrs: masked },
  { name: 'packed, as low as can be', inputs: [...grad(1, 2, 203, 190, 57).slice(0, 4), ofLow(1, 2, 203, 190), f32(1, 2, 203), low([1, 2, 203, 190])], attrs: { ...masked, causal: true } },
  { name: 'packed, a slope, a query and a value that are not finite', inputs: [...wild(2, 3, 150, 131, 40), but([2, 3, 150, 40], { [150 * 40 - 1]: Infinity }), ...grad(2, 3, 150, 131, 40).slice(4)], attrs: plain },
]
testOp(attentionGradQ, { cases: gradients, errors })
testOp(attentionGradKV, { cases: gradients, errors })

describe.skipIf(globalThis.kernelTestHost)('layouts of attention', () => {
  const turned = (x: RefTensor): RefTensor => permute.reference([x], { axes: [0, 2, 1, ...x.shape.slice(3).map((_, i) => 3 + i)] })[0] as RefTensor
  const random = (shape: readonly number[], seed: number): RefTensor => ({ shape, dtype: 'f32', data: noise(sizeOf(shape), seed) })
  const seen: RefTensor = { ...random([2, 3, 5, 7], 0), data: Float64Array.from({ length: 210 }, (_, i) => mask([2, 3, 5, 7]).values(i)) }

  test('over tokens are the results of heads, turned', () => {
    const [q, k, v, dy, statistics, delta] = grad(2, 3, 5, 7, 4).map((x, i) => random('shape' in x ? x.shape : x, i)) as [RefTensor, RefTensor, RefTensor, RefTensor, RefTensor, RefTensor]
    for (const [op, inputs] of [[attention, [q, k, v]], [attentionGradQ, [q, k, v, dy, statistics, delta]], [attentionGradKV, [q, k, v, dy, statistics, delta]]] as const) {
      const attrs = { ...masked, causal: true }
      const heads = op.reference([...inputs, seen], attrs)
      expect(op.reference([...inputs.map(turned), seen], { ...attrs, layout: 'BNHD' })).toEqual(heads.map(turned))
    }
  })

  test('an error names the axes of the layout', () => {
    expect(() => attention.infer([f32(1, 5, 2, 4), f32(1, 5, 3, 4), f32(1, 5, 3, 4)], tokens))
      .toThrow('attention: expected q [B,N,H,D] and k and v [B,M,H,D], got [1,5,2,4], [1,5,3,4] and [1,5,3,4]')
    expect(() => attention.infer([f32(1, 5, 2, 4), f32(1, 5, 2), f32(1, 5, 2)], tokens)).toThrow('k [B,tokens,H,D]')
  })
})
