import { flatConcat, tuningTable } from '@antipode/kernels-wgsl'
import { expect, test } from 'vitest'
import { checkpoint, gradients } from '../autograd/index.ts'
import { concat, conv2d, groupNorm, linear, softmax, where } from '../functional/index.ts'
import { apply1, arange, constant, full, ones, type Tensor, tensor } from '../graph/index.ts'
import { FakeHost, noise } from '../testing/index.ts'
import { captureGraph } from './capture.ts'

const host = new FakeHost()
const leaf = (...shape: number[]): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), shape.length), shape)
const labels = (...tensors: Tensor[]): string[] => host.plan(...tensors).dispatches.map((d) => d.kernel.label.replace(/[/+].*/, ''))

test('a chain of elementwise ops is one dispatch, whatever broadcasts in it', () => {
  const [x, column, row] = [leaf(3, 4), leaf(3, 1), leaf(4)]
  expect(labels(x.mul(2).add(row).silu().sub(column).exp().mul(x))).toEqual(['fused'])
  expect(labels(row.add(column).mul(row).reshape([3, 2, 2]).tanh())).toEqual(['fused'])
})

test('an expression longer than a kernel takes is cut, and one with many operands too', () => {
  let deep = leaf(8)
  for (let i = 0; i < 60; i++) deep = deep.add(1)
  expect(labels(deep).length).toBe(3)
  const many = Array.from({ length: 12 }, () => leaf(8))
  const plan = host.plan(many.reduce((a, b) => a.add(b)))
  expect(plan.dispatches.length).toBe(3)
  for (const d of plan.dispatches) expect(d.buffers.length).toBeLessThanOrEqual(8)
})

test('convolution, product and normalisation take in bias, activation, scale and residual', () => {
  const x = leaf(2, 4, 5, 5)
  expect(labels(conv2d(x, leaf(4, 4, 3, 3), { bias: leaf(4), padding: 1 }).silu().mul(0.5).add(x))).toEqual(['conv2d'])
  expect(labels(linear(leaf(2, 3, 4), leaf(5, 4), leaf(5)).gelu())).toEqual(['matmul'])
  expect(labels(groupNorm(x, 2, { weight: leaf(4), bias: leaf(4) }).silu())).toEqual(['norm'])
})

test('no kernel with an epilogue binds more than the eight storage buffers of any adapter', () => {
  let y = groupNorm(leaf(2, 4, 5, 5), 2, { weight: leaf(4), bias: leaf(4) })
  for (let i = 0; i < 7; i++) y = y.add(leaf(2, 4, 5, 5))
  const plan = host.plan(y)
  expect(plan.dispatches.length).toBeGreaterThan(1)
  for (const d of plan.dispatches) expect(d.buffers.length).toBeLessThanOrEqual(8)
})

test('work that gives integers is no epilogue, which gives real numbers', () => {
  expect(labels(leaf(3, 4).matmul(leaf(4, 5)).to('i32'))).toEqual(['matmul', 'fused'])
})

test('views cost nothing, alone and in a chain', () => {
  const x = leaf(2, 3, 4)
  expect(labels(x.permute([2, 0, 1]).slice(0, 1, 3).unsqueeze(0).expand([5, 2, 2, 3]).add(1))).toEqual(['fused'])
  expect(labels(x.slice(0, 0, 1).reshape([3, 4]).transpose().reshape([2, 2, 3]).mul(2))).toEqual(['fused'])
})

test('a transposed operand of a kernel is copied once, an operand with moved axes of size 1 never', () => {
  const [x, w] = [leaf(3, 4), leaf(3, 5)]
  expect(labels(x.transpose().matmul(w))).toEqual(['fused', 'matmul'])
  expect(labels(x.unsqueeze(0).permute([1, 0, 2]).reshape([3, 4]).permute([0, 1]).matmul(leaf(4, 5)))).toEqual(['matmul'])
})

test('a transposed tensor under another shape is copied once for all that read it', () => {
  const [x, a, b] = [leaf(2, 3, 4), leaf(5, 3), leaf(6, 3)]
  const tokens = x.transpose()
  expect(labels(linear(tokens, a), linear(tokens, b))).toEqual(['fused', 'matmul', 'matmul'])
})

test('a slice in one piece is bound where it lies, if a binding may begin there, and copied if not', () => {
  const [x, w] = [leaf(128, 4), leaf(4, 5)]
  const plan = host.plan(x.slice(0, 64).matmul(w))
  expect(plan.dispatches.map((d) => d.buffers.map((id) => plan.buffers[id]))).toEqual([[
    expect.objectContaining({ kind: 'part', offset: 64 * 4 * 4, bytes: 64 * 4 * 4 }), expect.objectContaining({ kind: 'leaf' }), expect.objectContaining({ kind: 'made' }),
  ]])
  expect(labels(x.slice(0, 64).matmul(w))).toEqual(['matmul'])
  expect(labels(x.slice(0, 60).matmul(w))).toEqual(['fused', 'matmul'])
  expect(labels(x.slice(1, 0, 2).matmul(leaf(2, 5)))).toEqual(['fused', 'matmul'])
})

test('a dispatch says how much it computes and how many bytes it binds, each buffer once', () => {
  const [x, w] = [leaf(3, 4), leaf(4, 5)]
  const [product] = host.plan(linear(x, w.transpose(), leaf(5)).gelu()).dispatches.slice(-1)
  expect([product?.flops, product?.bytes]).toEqual([2 * 3 * 4 * 5, 4 * (12 + 20 + 5 + 15)])
  const [square] = host.plan(leaf(4, 4).exp().matmul(leaf(4, 4))).dispatches
  expect([square?.flops, square?.bytes]).toEqual([0, 2 * 4 * 16])
  const self = leaf(4, 4)
  expect(host.plan(self.matmul(self)).dispatches.map((d) => [d.flops, d.bytes])).toEqual([[128, 2 * 4 * 16]])
})

const lavapipe = new FakeHost({ kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe })
const zeros = (...shape: number[]): Tensor => tensor(lavapipe, new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)

test('a packed product counts its texels, and its arithmetic where it is done', () => {
  const { dispatches } = lavapipe.plan(zeros(256, 256).matmul(zeros(256, 256)))
  const [buffer, texture] = [4 * 256 * 256, 16 * 1024 * 16]
  expect(dispatches.map((d) => [d.flops, d.bytes])).toEqual([[0, buffer + texture], [0, buffer + texture], [2 * 256 ** 3, buffer + 2 * texture]])
})

test('what a convolution and the gradient of its weight read packed takes no memory between them', () => {
  const [x, w] = [zeros(64, 32, 8, 8), zeros(32, 32, 3, 3)]
  const normed = groupNorm(x, 8, { activation: 'silu' })
  const loss = conv2d(normed, w, { padding: 1 }).square().mean()
  const packs = (...tensors: Tensor[]): string[] =>
    lavapipe.plan(...tensors).dispatches.map((d) => d.kernel.label.match(/^\w+|(?<=\/)pack[\w-]+/g)?.join(' ') ?? '').filter((l) => /norm|pack/.test(l))
  expect(packs(loss, ...gradients(loss, [w]))).toEqual(['norm packed', 'conv2d pack-panels', 'normApply pack-batch4', 'conv2dWeightGrad pack-slices'])
  expect(packs(loss, normed, ...gradients(loss, [w]))).toEqual(
    ['norm', 'conv2d pack-channels4-wide', 'conv2d pack-panels', 'conv2dWeightGrad pack-slices', 'conv2dWeightGrad pack-batch4-wide'])
})

test('what reads an operand packed is computed in its place in a flat concatenation', () => {
  const [x, w] = [zeros(64, 32, 8, 8), zeros(32, 32, 3, 3)]
  const y = conv2d(groupNorm(x, 8, { activation: 'silu' }), w, { padding: 1 })
  const { dispatches } = lavapipe.plan(y, apply1(flatConcat, gradients(y.square().mean(), [w])))
  expect(dispatches.map((d) => d.kernel.label).filter((l) => /^(flatConcat|normApply)/.test(l))).toEqual(['normApply/f32/none/pack-batch4/silu', 'flatConcat/f32/zeros'])
})

test('a value with two readers is computed once', () => {
  const y = leaf(4, 4).matmul(leaf(4, 4))
  expect(labels(y.exp().matmul(y))).toEqual(['matmul', 'fused', 'matmul'])
})

test('a value that is asked for is stored, though its reader could take it in', () => {
  const y = leaf(4, 4).matmul(leaf(4, 4))
  const plan = host.plan(y, y.add(1))
  expect(plan.dispatches.length).toBe(2)
  expect(new Set(plan.outputs).size).toBe(2)
})

test('results that are views, leaves under another shape, duplicates or numbers get buffers of their own', () => {
  const x = leaf(3, 4)
  const y = x.exp()
  const plan = host.plan(y, y.reshape([12]), x.reshape([4, 3]), y.transpose(), full(host, [2], 3), constant(host, [1, 2]))
  expect(new Set(plan.outputs).size).toBe(6)
  for (const id of plan.outputs) expect(plan.buffers[id]?.kind).toBe('made')
})

test('numbers and constants belong to the plan: they take no memory of tensors', () => {
  const plan = host.plan(leaf(4).mul(3).add(constant(host, [1, 2, 3, 4])))
  expect(plan.memory.slots).toEqual([])
  expect(plan.peakBytes).toBe(256)
  expect(plan.scalarWords.length).toBe(1)
  expect(plan.constantOffsets.length).toBe(1)
})

test('a checkpoint lowers the peak of a deep network', () => {
  const [x, ...weights] = [leaf(1024, 64), ...Array.from({ length: 8 }, () => leaf(64, 64))] as [Tensor, ...Tensor[]]
  const block = (w: Tensor) => (h: Tensor): Tensor => softmax(linear(linear(h, w).silu(), w).sin())
  const peak = (run: (w: Tensor, h: Tensor) => Tensor): number => {
    const loss = weights.reduce((h, w) => run(w, h), x).square().mean()
    return host.plan(loss, ...gradients(loss, weights)).peakBytes
  }
  const activation = 1024 * 64 * 4
  const plain = peak((w, h) => block(w)(h)) / activation
  const checkpointed = peak((w, h) => checkpoint(block(w), h)) / activation
  // Plain keeps four activations of each of eight blocks; checkpointed one of each, and one block's own.
  expect(Math.round(plain)).toBe(35)
  expect(Math.round(checkpointed)).toBe(14)
})

test('a backward pass frees activations as it goes', () => {
  const [x, w] = [leaf(1024, 64), leaf(64, 64)]
  let h = x
  for (let i = 0; i < 10; i++) h = linear(h, w).tanh()
  const loss = h.mean()
  const { slots } = host.plan(loss, ...gradients(loss, [w])).memory
  // Ten activations, and two gradients at a time.
  expect(slots.filter(({ bytes }) => bytes >= 1024 * 64 * 4).length).toBe(12)
})

test('a network deeper than the call stack is planned', () => {
  const w = leaf(2, 2)
  let h = w
  for (let i = 0; i < 4_000; i++) h = h.matmul(w).add(1)
  expect(host.plan(h).dispatches.length).toBe(4_000)
})

test('a condition on integers and a sum over none plan like others', () => {
  expect(labels(where(arange(host, 4, { dtype: 'i32' }).eq(2), 1, 0).mul(ones(host, [4], { dtype: 'i32' })))).toEqual(['fused'])
  expect(labels(tensor(host, [], [0, 3]).sum({ axes: 0 }))).toEqual(['reduce'])
})

test('stored tensors that are concatenated stay where they are: what is disposed gives its memory back', () => {
  const [x, y] = [leaf(64, 2), leaf(64, 3)]
  const graph = captureGraph([concat([x, y], 1).exp(), concat([leaf(64, 4), leaf(64, 4)]).exp()])
  expect(graph.leaves.length).toBe(4)
  expect(graph.leaves.some((l) => l.coalesced)).toBe(false)
})
