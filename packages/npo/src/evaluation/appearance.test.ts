import { NumericError, ShapeError } from '@antipode/core'
import { expect, test } from 'vitest'
import { pixelDeviation, saturatedShare } from './appearance.ts'

test('saturation counts full ink and no paper', () => {
  expect(saturatedShare(Float32Array.from([1, 0.99, 0.9, -1]))).toBe(0.5)
  expect(() => saturatedShare(new Float32Array(0))).toThrow(ShapeError)
})

test('diversity is the deviation within classes, not between them', () => {
  // Two classes of two images of two pixels; deviation of {0, 1} is √½.
  const images = Float32Array.from([0, 5, 1, 5, 100, 7, 101, 7])
  expect(pixelDeviation(images, [3, 3, 4, 4])).toBeCloseTo(Math.SQRT1_2 / 2, 12)
  expect(pixelDeviation(images, [3, 3, 4, 5])).toBeCloseTo(Math.SQRT1_2 / 2, 12)
  expect(() => pixelDeviation(images, [1, 2, 3, 4])).toThrow(ShapeError)
})

test('pixels that are not finite are neither ink nor contrast', () => {
  expect(() => saturatedShare(Float32Array.from([1, Number.NaN]))).toThrow(NumericError)
  expect(() => pixelDeviation(Float32Array.from([0, Infinity]), [1, 1])).toThrow(/got Infinity at images\[1\]/)
})
