import { type Op, reshape } from '@antipode/kernels-wgsl'
import { expect, test } from 'vitest'
import { softmax } from '../functional/index.ts'
import { apply1, constant, ones, Recent, rememberedStructures, sharedSpec, Tensor, tensor } from '../graph/index.ts'
import { checkpoint, gradients } from '../autograd/index.ts'
import { FakeHost, graphCases, leavesOf, noise } from '../testing/index.ts'
import { captureGraph } from './capture.ts'

const host = new FakeHost()
const leaf = (...shape: number[]): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), 1), shape)
const key = (...tensors: Tensor[]): string => captureGraph(tensors).key

test('graphs built alike share a plan, whatever their leaves hold', () => {
  for (const c of graphCases) {
    const build = (): string => {
      const leaves = leavesOf(host, c)
      const loss = c.loss(leaves)
      return key(loss, ...gradients(loss, Object.values(leaves).filter((t) => t.dtype === 'f32')))
    }
    expect(build(), c.name).toBe(build())
  }
})

test('the composed graphs all have plans of their own', () => {
  expect(new Set(graphCases.map((c) => key(c.loss(leavesOf(host, c))))).size).toBe(graphCases.length)
})

test('one buffer under two shapes has another plan than two buffers, as what overwrites one changes the other', () => {
  const [x, other] = [leaf(2, 2), leaf(4)]
  const again = new Tensor(host, sharedSpec({ shape: [4], dtype: 'f32' }), x.source)
  expect(captureGraph([x.exp(), again.exp()]).leaves.map((l) => l.owner)).toEqual([0, 0])
  expect(key(x.exp(), again.exp())).not.toBe(key(x.exp(), other.exp()))
})

test('numbers and constants change no key', () => {
  const x = leaf(3, 4)
  const build = (a: number, b: number): string => key(x.mul(a).add(constant(host, [b, 1, 2, 3])).clamp(-a, b))
  expect(build(2, 3)).toBe(build(-7, 1e9))
})

test('another shape, dtype, attribute, wiring, order of results or type of a number is another plan', () => {
  const [x, y] = [leaf(4, 4), leaf(4, 4)]
  const keys = [
    key(x.sub(y)), key(x.sub(x)), key(x.sub(y).exp()), key(leaf(4, 5).sub(leaf(4, 5))), key(x.to('f16').sub(y.to('f16'))),
    key(x.matmul(y)), key(x.matmul(y, { transposeA: true })), key(x.matmul(y, { transposeB: true })),
    key(x.exp(), x.log()), key(x.log(), x.exp()), key(x.exp(), x.exp()), key(x.slice(0, 0, 2)), key(x.slice(0, 1, 3)), key(x.slice(1, 0, 2)),
    key(softmax(x)), key(x.sum({ axes: 0 })), key(x.sum({ axes: 1 })), key(x.mean({ axes: 1 })),
    key(x.to('i32').add(1)), key(x.to('u32').add(1)),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})

test('an alias of a leaf under another shape is read by its own shape', () => {
  const x = leaf(2, 3)
  const graph = captureGraph([x.reshape([6]).add(1), x.add(1)])
  expect(graph.leaves.length).toBe(1)
  expect(key(x.mul(x))).not.toBe(key(x.mul(leaf(2, 3))))
})

test('an array that is changed after tensors were made by it changes no shape', () => {
  const shape = [6, 7]
  const x = tensor(host, noise(42, 1), shape)
  const y = x.reshape([42]).reshape(shape)
  shape[0] = 5
  expect([x.shape, y.shape, leaf(6, 7).shape]).toEqual([[6, 7], [6, 7], [6, 7]])
})

test('two ops of one name have plans of their own, and shapes of their own', () => {
  const doubled = (name: string): Op => ({
    name, infer: ([x]) => [{ shape: [2, ...x?.shape ?? []], dtype: 'f32' }], view: () => undefined, reference: ([x]) => (x ? [x] : []),
  })
  const x = leaf(3)
  const [one, other] = [doubled('mine'), { ...doubled('mine'), infer: () => [{ shape: [7], dtype: 'f32' as const }] }]
  expect([apply1(one, [x]).shape, apply1(other, [x]).shape]).toEqual([[2, 3], [7]])
  expect(key(apply1(one, [x]))).not.toBe(key(apply1(doubled('mine'), [x])))
  expect(key(apply1(one, [x]))).toBe(key(apply1(one, [x])))
})

test('attributes are told apart by their exact values', () => {
  const op: Op = { name: 'noted', infer: ([x]) => (x ? [x] : []), view: (v) => v, reference: ([x]) => (x ? [x] : []) }
  const x = leaf(3)
  const values = [Number.NaN, Infinity, -Infinity, null, undefined, 0, -0, '0', 'NaN', 0n, true, [], [0], [[0]], ['0'], [-0], {}, { a: 0 }, { a: -0 }, { a: 0, b: 0 }, () => 0, () => 0, new Map()]
  const keys = values.map((value) => key(apply1(op, [x], { value })))
  expect(new Set([...keys, key(apply1(op, [x])), key(apply1(op, [x], { other: 0 }))]).size).toBe(values.length + 2)
  for (const [k, value] of values.entries()) expect(key(apply1(op, [x], { value })), String(value)).toBe(keys[k])
})

test('a name that another op has changes nothing of what the planner knows of its own', () => {
  const cast: Op = { ...reshape, name: 'cast' }
  expect(host.plan(apply1(cast, [leaf(4).exp()], { shape: [2, 2] })).dispatches.length).toBe(1)
})

test('checkpoints of one function share a plan', () => {
  const x = leaf(2, 2)
  const build = (): string => {
    const loss = checkpoint((t) => t.exp().tanh(), x).sum()
    return key(loss, ...gradients(loss, [x]))
  }
  expect(build()).toBe(build())
})

test('what is remembered of structures is bounded, whatever shapes come', () => {
  for (let n = 1; n <= 40_000; n++) ones(host, [n])
  const after = rememberedStructures()
  for (let n = 40_001; n <= 50_000; n++) ones(host, [n])
  expect(rememberedStructures()).toBeLessThanOrEqual(33_280)
  expect(after).toBeLessThanOrEqual(33_280)
  // What was used all along is known as before.
  const x = leaf(3, 3)
  const before = key(x.add(1))
  for (let n = 1; n <= 100; n++) ones(host, [n, 2])
  expect(key(x.add(1))).toBe(before)
})

test('of what is kept the last used stay, and less than twice the capacity', () => {
  const recent = new Recent<{ readonly n: number }>(10)
  for (let n = 0; n < 1000; n++) {
    recent.set(`${n}`, { n })
    expect(recent.get('0')).toEqual({ n: 0 })
    expect(recent.get(`${Math.max(0, n - 3)}`)).toBeDefined()
    expect(recent.size).toBeLessThan(20)
  }
  expect(recent.get('1')).toBeUndefined()
})
