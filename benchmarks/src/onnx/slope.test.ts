import { expect, test } from 'vitest'
import { repetitions, slope } from './slope.ts'

test('the slope leaves out what a run costs whatever it computes', () => {
  // 30 ms of uploading and waiting, 5 ms an operation.
  expect(slope({ wall: 30 + 4 * 5, cpu: 10 + 4 * 8 }, { wall: 35, cpu: 18 }, 4)).toEqual({ wall: 5, cpu: 8 })
  // Noise may turn the order around.
  expect(slope({ wall: 9, cpu: 9 }, { wall: 10, cpu: 11 }, 2)).toEqual({ wall: -1, cpu: -2 })
})

test('short operations are repeated more often, and never so that a chain ends in the wrong shape', () => {
  expect(repetitions(5000, 1)).toBe(2)
  expect(repetitions(5000, 2)).toBe(3)
  expect(repetitions(100, 1)).toBe(5)
  expect(repetitions(100, 2)).toBe(5)
  expect(repetitions(130, 2)).toBe(5)
  expect(repetitions(0, 1)).toBe(17)
})
