import { expect, test } from 'vitest'
import { tensor, type Tensor } from '../graph/index.ts'
import { FakeHost, gradientGap, interpret, noise } from '../testing/index.ts'
import { conv3d, type Conv3dOptions } from './conv3d.ts'

const host = new FakeHost()
const random = (shape: readonly number[], seed: number): Tensor => tensor(host, noise(shape.reduce((a, b) => a * b, 1), seed), shape)

/** The definition, in plain loops. */
function loops(x: Tensor, w: Tensor, strides: readonly number[], sides: readonly number[], groups: number): { shape: number[]; data: Float64Array } {
  const [B, C, F, H, W] = x.shape as [number, number, number, number, number]
  const [O, each, kF, kH, kW] = w.shape as [number, number, number, number, number]
  const [xs, ws] = interpret([x, w]) as [Float64Array, Float64Array]
  const [sf, sh, sw] = strides as [number, number, number]
  const [front, top, left, back, bottom, right] = sides as [number, number, number, number, number, number]
  const size = (n: number, k: number, s: number, p: number): number => Math.floor((n + p - k) / s) + 1
  const shape = [B, O, size(F, kF, sf, front + back), size(H, kH, sh, top + bottom), size(W, kW, sw, left + right)] as const
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1))
  let i = 0
  for (let b = 0; b < B; b++) for (let o = 0; o < O; o++) for (let f = 0; f < shape[2]; f++) for (let y = 0; y < shape[3]; y++) for (let z = 0; z < shape[4]; z++) {
    let sum = 0
    for (let c = 0; c < each; c++) for (let l = 0; l < kF; l++) for (let m = 0; m < kH; m++) for (let n = 0; n < kW; n++) {
      const [p, q, r] = [f * sf + l - front, y * sh + m - top, z * sw + n - left]
      if (p < 0 || p >= F || q < 0 || q >= H || r < 0 || r >= W) continue
      const channel = Math.floor(o / (O / groups)) * each + c
      sum += xs[(((b * C + channel) * F + p) * H + q) * W + r]! * ws[(((o * each + c) * kF + l) * kH + m) * kW + n]!
    }
    data[i++] = sum
  }
  return { shape: [...shape], data }
}

test.each<[string, readonly number[], readonly number[], Conv3dOptions, readonly number[], readonly number[]]>([
  ['a kernel of one', [1, 2, 3, 2, 2], [2, 2, 1, 1, 1], {}, [1, 1, 1], [0, 0, 0, 0, 0, 0]],
  ['frames alone', [2, 3, 5, 2, 3], [4, 3, 3, 1, 1], { padding: [1, 0, 0] }, [1, 1, 1], [1, 0, 0, 1, 0, 0]],
  ['frames alone, by twos, before the first only', [1, 2, 6, 2, 2], [2, 2, 3, 1, 1], { stride: [2, 1, 1], padding: [2, 0, 0, 0, 0, 0] }, [2, 1, 1], [2, 0, 0, 0, 0, 0]],
  ['cubes', [2, 3, 4, 5, 4], [2, 3, 3, 3, 3], { padding: 1 }, [1, 1, 1], [1, 1, 1, 1, 1, 1]],
  ['cubes in strides', [1, 2, 7, 5, 6], [3, 2, 3, 3, 2], { stride: [2, 2, 3], padding: [1, 1, 0] }, [2, 2, 3], [1, 1, 0, 1, 1, 0]],
  ['groups, and sides of their own', [1, 4, 3, 4, 3], [6, 2, 2, 3, 2], { groups: 2, padding: [1, 0, 1, 0, 2, 0] }, [1, 1, 1], [1, 0, 1, 0, 2, 0]],
])('conv3d is its definition: %s', (_, shape, kernel, options, strides, sides) => {
  const [x, w, bias] = [random(shape, 1), random(kernel, 2), random([kernel[0]!], 3)]
  const want = loops(x, w, strides, sides, options.groups ?? 1)
  const y = conv3d(x, w, { ...options, bias })
  expect(y.shape).toEqual(want.shape)
  const [got, offsets] = interpret([y, bias]) as [Float64Array, Float64Array]
  const plane = want.data.length / want.shape[0]! / want.shape[1]!
  want.data.forEach((v, i) => { expect(Math.abs(got[i]! - v - offsets[Math.floor(i / plane) % kernel[0]!]!)).toBeLessThan(1e-12) })
})

test('the gradients of conv3d are its slopes', () => {
  const [x, w] = [random([1, 2, 4, 3, 3], 4), random([2, 2, 3, 2, 2], 5)]
  const gap = gradientGap(conv3d(x, w, { stride: [2, 1, 1], padding: [1, 0, 1] }).square().sum(), { x, w })
  expect(gap.relative).toBeLessThan(1e-6)
})

test('conv3d refuses what is no video, and kernels of more frames', () => {
  const x = random([1, 2, 3, 4, 4], 6)
  expect(() => conv3d(x, random([2, 2, 3, 3], 7))).toThrow('conv3d: expected x [B,C,F,H,W] and w [O,C,kF,kH,kW]')
  expect(() => conv3d(x, random([2, 2, 4, 1, 1], 7))).toThrow('expected a kernel of at most 3 frames, got one of 4')
  expect(() => conv3d(x, random([2, 2, 1, 1, 1], 7), { padding: [1, 1] as never })).toThrow('conv3d: expected padding')
})
