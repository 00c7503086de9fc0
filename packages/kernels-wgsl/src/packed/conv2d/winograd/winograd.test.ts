import { describe, expect, test } from 'vitest'
import { conv2d, conv2dInputGrad } from '../../../conv2d/index.ts'
import { lower } from '../../../lower.ts'
import type { Attrs, Op, RefTensor, Target } from '../../../op.ts'
import { noise, runKernels, testOp } from '../../../testing.ts'
import { tuningTable } from '../../../tuning.ts'

const plain = { stride: [1, 1], padding: [1, 1, 1, 1], groups: 1 } as const

/** Whether convolutions may be computed by tiles at all. */
const tiled = ({ tuning, textureRows, subgroupSize }: Target): boolean => tuning.packing !== null && textureRows > 0 && subgroupSize >= 4

/** An op on an adapter that packs for nothing: small convolutions are computed by tiles too. */
function eager<A extends Attrs>(op: Op<A>): Op<A> {
  return {
    ...op, name: `${op.name} by tiles`,
    kernels(problem, target) {
      const packing = target.tuning.packing && { buffer: 1, texture: 0.01, element: 0, dispatches: 0 }
      const kernels = lower(op, problem, { ...target, tuning: { ...target.tuning, packing } })
      if (tiled(target)) expect(kernels.map((k) => k.label.split('/')[2])).toContain('tiles')
      return kernels
    },
  }
}

testOp(eager(conv2d), {
  cases: [
    { name: 'rows of fours', inputs: [[2, 5, 12, 12], [7, 5, 3, 3]], attrs: plain },
    { name: 'odd sides, three images', inputs: [[3, 9, 9, 11], [20, 9, 3, 3]], attrs: plain },
    { name: 'rows that are not fours, of images that are', inputs: [[5, 4, 6, 6], [3, 4, 3, 3]], attrs: plain },
    { name: 'asymmetric padding, in groups', inputs: [[1, 6, 14, 15], [10, 3, 3, 3]], attrs: { ...plain, padding: [2, 0, 0, 3], groups: 2 } },
  ],
})
testOp(eager(conv2dInputGrad), {
  cases: [
    { name: 'rows of fours', inputs: [[2, 5, 12, 12], [5, 7, 3, 3]], attrs: { ...plain, shape: [2, 7, 12, 12] } },
    { name: 'odd sides', inputs: [[3, 20, 9, 11], [20, 9, 3, 3]], attrs: { ...plain, shape: [3, 9, 9, 11] } },
    { name: 'asymmetric padding, in groups', inputs: [[1, 10, 15, 16], [10, 3, 3, 3]], attrs: { ...plain, padding: [2, 0, 1, 3], groups: 2, shape: [1, 6, 14, 15] } },
    { name: 'more padding than taps', inputs: [[2, 4, 18, 18], [4, 5, 3, 3]], attrs: { ...plain, padding: [4, 4, 4, 4], shape: [2, 5, 12, 12] } },
  ],
})

const host = globalThis.kernelTestHost
describe.runIf(host && tiled(host.target))('a pixel that is not finite', () => {
  test.each([Number.NaN, Infinity])('of %d is found in all results that read it, and in no tile that does not', async (value) => {
    if (!host) return
    const [x, w] = [[2, 5, 12, 12], [7, 5, 3, 3]].map((shape, k): RefTensor => ({ shape, dtype: 'f32', data: noise(shape.reduce((a, b) => a * b), k + 1) })) as [RefTensor, RefTensor]
    x.data[0] = value
    const outputs = conv2d.infer([x, w], plain)
    const kernels = eager(conv2d).kernels?.({ inputs: [x, w], outputs, attrs: plain }, host.target) ?? []
    const [got = []] = await runKernels(host, kernels, [x, w].map((spec) => ({ spec, data: spec.data })), outputs)
    const want = conv2d.reference([x, w], plain)[0]?.data ?? []
    // Pixel (0, 0) of the first of two images is read by results of two rows and columns, and by one tile of four.
    const wrong = Array.from(want, (v, i) => ({ i, v, far: Math.max(Math.floor(i / 12) % 12, i % 12) + 12 * Math.floor(i / 7 / 144) }))
      .filter(({ i, v, far }) => (far < 2 ? Number.isFinite(got[i]) : far >= 4 && !(Math.abs((got[i] ?? Number.NaN) - v) < 1e-4)))
    expect(wrong).toEqual([])
  })
})

describe('convolutions by tiles', () => {
  const target: Target = { kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe }
  const byTiles = (images: number, channels: number, side: number, attrs: Parameters<typeof conv2d.infer>[1] = plain): boolean => {
    const inputs = [[images, channels, side, side], [channels, channels / attrs.groups, 3, 3]].map((shape) => ({ shape, dtype: 'f32' as const }))
    return lower(conv2d, { inputs, outputs: conv2d.infer(inputs, attrs), attrs }, target).some((k) => k.label.endsWith('/tiles'))
  }

  test('are those of many channels and tiles', () => {
    expect([32, 64, 128, 320].map((channels) => byTiles(1, channels, 32))).toEqual([false, false, false, true])
    expect([8, 16, 32].map((side) => byTiles(2, 640, side))).toEqual([false, true, true])
  })

  test('move by single pixels', () => {
    expect(byTiles(1, 320, 32, { ...plain, stride: [1, 2] })).toBe(false)
  })

  test('stay within what an adapter binds', () => {
    expect([64, 256, 512].map((side) => byTiles(1, 128, side))).toEqual([true, true, false])
  })
})
