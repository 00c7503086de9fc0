import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import golden from './clip-images.golden.json' with { type: 'json' }
import { clipImages, type ClipImagesOptions, resize, type ResizeOptions } from './index.ts'

const host = new FakeHost()
const picture = waves(host, 'input.image', [1, 3, 40, 52], 0.5, 0.45)

interface Numbers {
  readonly sum: number
  readonly l1: number
  readonly at: readonly number[]
  readonly values: readonly number[]
}

function expectNumbers(made: Tensor, want: Numbers): void {
  const [got = new Float64Array()] = interpret([made])
  // Colours are normalised by f32 numbers; the golden file has nine digits.
  for (const [k, i] of want.at.entries()) expect(Math.abs(got[i]! - want.values[k]!)).toBeLessThan(1e-6)
  expect(Math.abs(got.reduce((a, b) => a + b) - want.sum) / got.length).toBeLessThan(1e-7)
  expect(Math.abs(got.reduce((a, b) => a + Math.abs(b), 0) - want.l1) / got.length).toBeLessThan(1e-7)
}

test.each(golden.clipImages)('as torch has them: $options', ({ options, ...want }) => {
  const made = clipImages(picture, options as ClipImagesOptions)
  expect(made.shape).toEqual([1, 3, options.side, options.side])
  expectNumbers(made, want)
})

test.each(golden.resize)('resized as by torch: $options', ({ options, ...want }) => {
  expectNumbers(resize(picture, options as ResizeOptions), want)
})

test.each(golden.resize)('gradients of $options are central differences', ({ options }) => {
  const image = waves(host, 'x', [1, 1, 5, 3], 0.5, 0.45)
  const made = resize(image, { ...options as ResizeOptions, height: 3, width: 4 })
  expect(gradientGap(made.mul(waves(host, 'w', made.shape, 0, 1)).sum(), { image }).relative).toBeLessThan(1e-6)
})

const fits = ['crop', 'pad', 'stretch'] as const
test.each(fits)('by default %s is bicubic with antialiasing, and shows upright pictures', (fit) => {
  const upright = picture.transpose()
  const whole = { side: 8, fit, filter: 'bicubic', antialias: true } as const
  const [a, b, turned] = interpret([
    clipImages(upright, { side: 8, fit }), clipImages(upright, whole), clipImages(picture, whole).transpose(),
  ]) as [Float64Array, Float64Array, Float64Array]
  expect(a).toEqual(b)
  for (const [i, v] of a.entries()) expect(Math.abs(v - turned[i]!)).toBeLessThan(1e-9)
})

test('one colour stays one, without weights that leave the picture', () => {
  const grey = waves(host, 'input.image', [2, 3, 7, 5], 0.5, 0)
  for (const options of [{ antialias: true }, { antialias: false }, { filter: 'bilinear' }] as const) {
    const [got = new Float64Array()] = interpret([resize(grey, { height: 3, width: 9, ...options })])
    for (const v of got) expect(Math.abs(v - 0.5)).toBeLessThan(1e-6)
  }
  const [padded = new Float64Array()] = interpret([clipImages(grey.slice(3, 0, 1), { side: 4, fit: 'pad' })])
  expect(padded.length).toBe(96)
})

test('pictures of other shapes, and sides that are none, are refused', () => {
  const small = waves(host, 'input.image', [1, 3, 4, 5], 0.5, 0.45)
  expect(() => clipImages(small.squeeze(0), { side: 4 })).toThrow(ShapeError)
  const message = 'clipImages: expected pictures [B, 3, H, W], got [1,1,4,5]'
  expect(() => clipImages(small.slice(1, 0, 1), { side: 4 })).toThrow(message)
  expect(() => resize(small.squeeze(0), { height: 4, width: 4 })).toThrow('resize: expected pictures [B, C, H, W]')
  expect(() => clipImages(small, { side: 0 })).toThrow(ConfigError)
  expect(() => clipImages(small, { side: 4, fit: 'cover' } as never)).toThrow("fit to be 'crop' or 'pad' or 'stretch'")
  expect(() => resize(small, { height: 4, width: 4, filter: 'area' } as never)).toThrow(ConfigError)
})
