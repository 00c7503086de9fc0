import { ConfigError, ShapeError } from '@antipode/core'
import { FakeHost, interpret, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import golden from './aesthetic.golden.json' with { type: 'json' }
import { clipImages } from './index.ts'

const host = new FakeHost()

test.each([28, 224] as const)('pictures are resized, cut and normalised as by torchvision, to a side of %d', (side) => {
  const picture = waves(host, 'input.image', [1, 3, 40, 52], 0.5, 0.45)
  const [got = new Float64Array()] = interpret([clipImages(picture, { side })])
  const want = golden.preprocess[side].normalized
  expect(got.length).toBe(3 * side * side)
  // Colours are normalised by f32 numbers; the golden file has nine digits.
  for (const [i, value] of want.first.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(1e-6)
  expect(Math.abs(got.reduce((a, b) => a + b) / got.length - want.sum / got.length)).toBeLessThan(1e-7)
  expect(Math.abs(got.reduce((a, b) => a + Math.abs(b), 0) / got.length - want.absMean)).toBeLessThan(1e-7)
})

test('an upright picture is cut above and below, and one colour stays one', () => {
  const upright = waves(host, 'input.image', [2, 3, 52, 40], 0.5, 0)
  const [got = new Float64Array()] = interpret([clipImages(upright, { side: 8 })])
  const [red, green] = [got.subarray(0, 64), got.subarray(64, 128)]
  for (const v of red) expect(Math.abs(v - (0.5 - 0.48145466) / 0.26862954)).toBeLessThan(1e-6)
  for (const v of green) expect(Math.abs(v - (0.5 - 0.4578275) / 0.26130258)).toBeLessThan(1e-6)
  expect(got.length).toBe(2 * 192)
})

test('pictures of other shapes, and sides that are none, are refused', () => {
  const picture = waves(host, 'input.image', [1, 3, 4, 5], 0.5, 0.45)
  expect(() => clipImages(picture.squeeze(0), { side: 4 })).toThrow(ShapeError)
  expect(() => clipImages(picture.slice(1, 0, 1), { side: 4 })).toThrow(ShapeError)
  expect(() => clipImages(picture, { side: 0 })).toThrow(ConfigError)
})
