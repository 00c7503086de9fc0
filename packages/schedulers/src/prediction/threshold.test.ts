import { expect, test } from 'vitest'
import { dynamicThreshold, SchedulerError } from '../index.ts'

const threshold = (ratio: number, sampleMaxValue: number, batch: number): ((x0: Float32Array) => Float32Array) =>
  dynamicThreshold({ dynamicThresholdingRatio: ratio, sampleMaxValue }, batch)

test('each item of a batch is thresholded by its own quantile', () => {
  const result = threshold(0.5, 10, 2)(Float32Array.of(-4, 2, 1, 0.5, 0.25, -0.5))
  expect([...result]).toEqual([-1, 1, 0.5, 0.5, 0.25, -0.5])
})

test('values are clipped to the quantile of their magnitudes and divided by it', () => {
  // Magnitudes 1 2 3 4; their quantile at 0.5 is 2.5.
  expect([...threshold(0.5, 10, 1)(Float32Array.of(-4, 3, 2, 1))]).toEqual([-1, 1, 0.8, 0.4].map(Math.fround))
})

test('a quantile below 1 leaves values in [−1, 1] as they are', () => {
  expect([...threshold(0.5, 10, 1)(Float32Array.of(0.5, -0.25, 0))]).toEqual([0.5, -0.25, 0])
})

test('the maximum wins where it is below 1', () => {
  expect([...threshold(0.5, 0.5, 1)(Float32Array.of(2, 0.25, 0))]).toEqual([1, 0.5, 0])
})

test('a length that the batch does not divide is refused', () => {
  expect(() => threshold(0.5, 1, 2)(new Float32Array(3))).toThrow(SchedulerError)
  expect(() => threshold(0.5, 1, 2)(new Float32Array(0))).toThrow(/multiple of 2 values, got 0/)
})
