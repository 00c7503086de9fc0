import { ShapeError } from '../errors.ts'
import { type CaseInput, noise, testOp } from '../testing.ts'
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from './conv2d.ts'

const plain = { stride: [1, 1], padding: [1, 1, 1, 1], groups: 1 } as const
const unpadded = { ...plain, padding: [0, 0, 0, 0] } as const
const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const })

/** Random numbers but for three of the first and the last: NaN, ∞ and −∞. */
const wild = (shape: readonly number[]): CaseInput => {
  const values = noise(shape.reduce((a, b) => a * b), 1)
  values[3] = Number.NaN
  values[Math.floor(shape[3] ?? 1) * 2] = -Infinity
  values[values.length - 1] = Infinity
  return { shape, values: (i) => values[i] ?? 0 }
}
// Without zeros outside: what is not finite then meets a pixel or slope of its own only.
const whole = { ...plain, padding: [2, 2, 2, 2] } as const

testOp(conv2d, {
  specials: { cases: [{ name: 'no border', inputs: [[2, 3, 5, 7], [4, 3, 3, 3]], attrs: unpadded }] },
  cases: [
    { name: 'pixels that are not finite', inputs: [wild([2, 3, 5, 7]), [4, 3, 3, 3]], attrs: plain, gradient: false },
    { name: 'packed, pixels that are not finite', inputs: [wild([3, 21, 19, 17]), [37, 21, 3, 3]], attrs: plain, gradient: false },
    { name: 'packed, a row of taps at once, pixels that are not finite', inputs: [wild([2, 40, 31, 30]), [50, 20, 3, 3]], attrs: { ...plain, stride: [2, 1], padding: [2, 1, 0, 3], groups: 2 }, gradient: false },
    { name: '1x1, pixels that are not finite', inputs: [wild([3, 6, 6, 6]), [14, 3, 1, 1]], attrs: { ...unpadded, groups: 2 }, gradient: false },
    { inputs: [[1, 1, 1, 1], [1, 1, 1, 1]], attrs: { ...plain, padding: [0, 0, 0, 0] } },
    { inputs: [[2, 3, 5, 7], [4, 3, 3, 3]], attrs: plain },
    { inputs: [[2, 4, 6, 6], [6, 2, 3, 3]], attrs: { ...plain, groups: 2, stride: [2, 2] } },
    { name: 'asymmetric padding, as the VAE encoder has', inputs: [[1, 2, 6, 5], [3, 2, 3, 3]], attrs: { stride: [2, 2], padding: [0, 0, 1, 1], groups: 1 } },
    { inputs: [[3, 20, 9, 9], [37, 20, 3, 3]], attrs: plain },
    { name: 'more groups than workgroups on an axis', inputs: [[1, 66_000, 1, 1], [66_000, 1, 1, 1]], attrs: { ...plain, padding: [0, 0, 0, 0], groups: 66_000 }, slow: true },
    { name: 'packed', inputs: [[3, 21, 19, 17], [37, 21, 3, 3]], attrs: plain },
    { name: 'packed, a row of taps at once, strided downwards, in groups', inputs: [[2, 40, 31, 30], [50, 20, 3, 3]], attrs: { ...plain, stride: [2, 1], padding: [2, 1, 0, 3], groups: 2 } },
    { name: 'packed, 1x1', inputs: [[2, 130, 20, 20], [70, 130, 1, 1]], attrs: { ...plain, padding: [0, 0, 0, 0] } },
    { name: '1x1, three blocks of filters', inputs: [[2, 5, 4, 4], [33, 5, 1, 1]], attrs: unpadded },
    { name: '1x1, in groups, a tail of pixels', inputs: [[3, 6, 6, 6], [14, 3, 1, 1]], attrs: { ...unpadded, groups: 2 } },
    { name: '1x1, one filter, rows of pixels that are not fours', inputs: [[5, 3, 4, 3], [1, 3, 1, 1]], attrs: unpadded },
    { name: '1x1, images that are not fours', inputs: [[5, 3, 3, 3], [3, 3, 1, 1]], attrs: unpadded },
  ],
  errors: [
    { name: 'channels differ', inputs: [f32(1, 3, 4, 4), f32(2, 4, 3, 3)], attrs: plain, error: ShapeError },
    { name: 'groups do not divide', inputs: [f32(1, 3, 4, 4), f32(2, 1, 3, 3)], attrs: { ...plain, groups: 2 }, error: ShapeError },
    { name: 'kernel larger than image', inputs: [f32(1, 1, 2, 2), f32(1, 1, 5, 5)], attrs: { ...plain, padding: [0, 0, 0, 0] }, error: ShapeError },
  ],
})
testOp(conv2dInputGrad, {
  specials: { cases: [{ name: 'no border', inputs: [[2, 4, 7, 9], [4, 3, 3, 3]], attrs: { ...whole, shape: [2, 3, 5, 7] } }] },
  cases: [
    { name: 'slopes that are not finite', inputs: [wild([2, 6, 3, 3]), [6, 2, 3, 3]], attrs: { ...plain, groups: 2, stride: [2, 2], shape: [2, 4, 6, 6] }, gradient: false },
    { name: 'packed, slopes that are not finite', inputs: [wild([3, 37, 19, 17]), [37, 21, 3, 3]], attrs: { ...plain, shape: [3, 21, 19, 17] } },
    { inputs: [[2, 4, 5, 7], [4, 3, 3, 3]], attrs: { ...plain, shape: [2, 3, 5, 7] } },
    { name: 'more groups than workgroups on an axis', inputs: [[1, 66_000, 1, 1], [66_000, 1, 1, 1]], attrs: { ...plain, padding: [0, 0, 0, 0], groups: 66_000, shape: [1, 66_000, 1, 1] }, slow: true },
    { inputs: [[2, 6, 3, 3], [6, 2, 3, 3]], attrs: { ...plain, groups: 2, stride: [2, 2], shape: [2, 4, 6, 6] } },
    { name: '1x1, in groups, a tail of pixels', inputs: [[3, 14, 6, 6], [14, 3, 1, 1]], attrs: { ...unpadded, groups: 2, shape: [3, 6, 6, 6] } },
    { name: '1x1, three blocks of channels', inputs: [[2, 5, 4, 4], [5, 33, 1, 1]], attrs: { ...unpadded, shape: [2, 33, 4, 4] } },
    { name: 'packed', inputs: [[3, 37, 19, 17], [37, 21, 3, 3]], attrs: { ...plain, shape: [3, 21, 19, 17] } },
    { name: 'packed, strided, in groups', inputs: [[2, 50, 16, 32], [50, 20, 3, 3]], attrs: { stride: [2, 1], padding: [2, 1, 0, 3], groups: 2, shape: [2, 40, 31, 30] } },
    { name: 'packed, a row of taps at once, in groups', inputs: [[2, 50, 14, 21], [50, 20, 3, 3]], attrs: { ...plain, padding: [1, 2, 0, 1], groups: 2, shape: [2, 40, 15, 20] } },
    { name: 'packed, strides of two and three under a large kernel', inputs: [[2, 40, 13, 9], [40, 30, 5, 4]], attrs: { stride: [2, 3], padding: [1, 0, 3, 2], groups: 1, shape: [2, 30, 26, 26] } },
  ],
})
testOp(conv2dWeightGrad, {
  specials: { cases: [{ name: 'no border', inputs: [[2, 4, 3, 5], [2, 3, 5, 7]], attrs: { ...unpadded, shape: [4, 3, 3, 3] } }] },
  cases: [
    { name: 'packed, four images a texel, pixels that are not finite', inputs: [[8, 24, 13, 11], wild([8, 21, 13, 11])], attrs: { ...plain, shape: [24, 21, 3, 3] } },
    { name: 'many images, sum over the batch inside', inputs: [[9, 4, 5, 7], [9, 3, 5, 7]], attrs: { ...plain, shape: [4, 3, 3, 3] } },
    { name: 'more groups than workgroups on an axis', inputs: [[1, 66_000, 1, 1], [1, 66_000, 1, 1]], attrs: { ...plain, padding: [0, 0, 0, 0], groups: 66_000, shape: [66_000, 1, 1, 1] }, slow: true },
    { name: 'packed, four images a texel', inputs: [[8, 24, 13, 11], [8, 21, 13, 11]], attrs: { ...plain, shape: [24, 21, 3, 3] } },
    { name: 'packed, strips of one image', inputs: [[1, 37, 27, 29], [1, 21, 27, 29]], attrs: { ...plain, shape: [37, 21, 3, 3] } },
    { name: 'packed, strips of two images, strided, in groups', inputs: [[2, 50, 16, 32], [2, 40, 31, 30]], attrs: { stride: [2, 1], padding: [2, 1, 0, 3], groups: 2, shape: [50, 20, 3, 3] } },
    { name: 'packed, many images inside', inputs: [[16, 24, 7, 6], [16, 21, 7, 6]], attrs: { ...plain, shape: [24, 21, 3, 3] } },
    { name: 'packed, many images inside, strided, in groups', inputs: [[20, 40, 4, 6], [20, 28, 7, 6]], attrs: { stride: [2, 1], padding: [2, 1, 0, 1], groups: 2, shape: [40, 14, 3, 3] } },
    { name: 'few images, sum along rows inside', inputs: [[1, 6, 3, 3], [1, 4, 6, 6]], attrs: { ...plain, groups: 2, stride: [2, 2], shape: [6, 2, 3, 3] } },
  ],
})
