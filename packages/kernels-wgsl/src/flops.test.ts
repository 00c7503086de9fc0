import { expect, test } from 'vitest'
import { attention, attentionGradKV, attentionGradQ } from './attention/index.ts'
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from './conv2d/index.ts'
import { add } from './elementwise/index.ts'
import { kernelFlops } from './flops.ts'
import { lower } from './lower.ts'
import { matmul } from './matmul/index.ts'
import type { Attrs, Op, Spec, Target } from './op.ts'
import { tuningTable } from './tuning.ts'

const gpu: Target = { kind: 'gpu', f16: true, subgroupSize: 32, textureRows: 0, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.gpu }
const lavapipe: Target = { kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe }
const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' })

/** Label and flops of each kernel. */
function count<A extends Attrs>(op: Op<A>, inputs: readonly Spec[], attrs: A, target: Target): (readonly [string, number])[] {
  const problem = { inputs, outputs: op.infer(inputs, attrs), attrs }
  const kernels = lower(op, problem, target)
  return kernelFlops(op, problem, kernels).map((flops, k) => [kernels[k]?.label.split('/')[2] ?? '', flops] as const)
}

const total = (counts: readonly (readonly [string, number])[]): number => counts.reduce((sum, [, flops]) => sum + flops, 0)

test('a product counts two operations a multiply-add, in whichever layout', () => {
  const plain = { transposeA: false, transposeB: false }
  expect(total(count(matmul, [f32(3, 5), f32(5, 7)], plain, gpu))).toBe(2 * 3 * 5 * 7)
  expect(total(count(matmul, [f32(5, 3), f32(7, 5)], { transposeA: true, transposeB: true }, gpu))).toBe(2 * 3 * 5 * 7)
  expect(total(count(matmul, [f32(4, 3, 5), f32(5, 7)], plain, gpu))).toBe(4 * 2 * 3 * 5 * 7)
})

test('packing counts nothing: all belongs to the kernel that stores the result', () => {
  const counts = count(matmul, [f32(256, 128), f32(128, 256)], { transposeA: false, transposeB: false }, lavapipe)
  expect(counts).toEqual([['pack-panels', 0], ['pack-panels', 0], ['panels32', 2 * 256 * 128 * 256]])
  const [qkv, row] = [f32(1, 1, 512, 64), f32(1, 1, 512)]
  const grads = count(attentionGradKV, [qkv, qkv, qkv, qkv, f32(1, 1, 512, 2), row], { scale: 1, causal: false, hasMask: false, layout: 'BHND' }, lavapipe)
  expect(grads.map(([, flops]) => flops)).toEqual([0, 0, 8 * 512 * 512 * 64])
})

test('a convolution and its gradients do the same work', () => {
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], groups: 2 } as const
  const [x, w, y] = [f32(3, 8, 9, 7), f32(6, 4, 3, 3), f32(3, 6, 9, 7)]
  const flops = 2 * 3 * 6 * 9 * 7 * 4 * 9
  expect(total(count(conv2d, [x, w], attrs, gpu))).toBe(flops)
  expect(total(count(conv2dInputGrad, [y, w], { ...attrs, shape: x.shape }, gpu))).toBe(flops)
  expect(total(count(conv2dWeightGrad, [y, x], { ...attrs, shape: w.shape }, gpu))).toBe(flops)
})

test('a strided input gradient parts its work among the taps of its phases', () => {
  const attrs = { stride: [2, 2], padding: [1, 1, 1, 1], groups: 1, shape: [4, 64, 32, 32] } as const
  const products = count(conv2dInputGrad, [f32(4, 64, 16, 16), f32(64, 64, 3, 3)], attrs, lavapipe).filter(([label]) => label.startsWith('panels'))
  const perTap = 2 * 4 * 64 * 16 * 16 * 64
  expect(products.map(([, flops]) => flops / perTap)).toEqual([4, 2, 2, 1])
})

test('attention counts scores and sums, of the pairs that see each other', () => {
  const plain = { scale: 1, causal: false, hasMask: false, layout: 'BHND' } as const
  const qkv = [f32(2, 3, 5, 4), f32(2, 3, 7, 4), f32(2, 3, 7, 4)]
  const grads = [...qkv, f32(2, 3, 5, 4), f32(2, 3, 5, 2), f32(2, 3, 5)]
  const macs = 2 * 3 * 4 * 5 * 7
  expect(total(count(attention, qkv, plain, gpu))).toBe(4 * macs)
  expect(total(count(attentionGradQ, grads, plain, gpu))).toBe(6 * macs)
  expect(total(count(attentionGradKV, grads, plain, gpu))).toBe(8 * macs)
  const causal = (queries: number, keys: number): number =>
    total(count(attention, [f32(1, 1, queries, 1), f32(1, 1, keys, 1), f32(1, 1, keys, 1)], { ...plain, causal: true }, gpu)) / 4
  expect(causal(4, 4)).toBe(1 + 2 + 3 + 4)
  expect(causal(4, 9)).toBe(1 + 2 + 3 + 4)
  expect(causal(5, 3)).toBe(1 + 2 + 3 + 3 + 3)
})

test('a gradient that takes two rounds shares what both need', () => {
  const qkv = [f32(1, 1, 4, 4), f32(1, 1, 4, 4), f32(1, 1, 4, 4)]
  const counts = count(attentionGradKV, [...qkv, f32(1, 1, 4, 4), f32(1, 1, 4, 2), f32(1, 1, 4), f32(1, 1, 4, 4)], { scale: 1, causal: false, hasMask: true, layout: 'BHND' }, gpu)
  expect(counts.map(([, flops]) => flops / (4 * 4 * 4))).toEqual([3, 5])
})

test('elementwise work counts none', () => {
  expect(add.flops).toBeUndefined()
})
