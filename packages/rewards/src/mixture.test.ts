import { type Tensor, tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret } from '@antipode/core/testing'
import type { Condition } from '@antipode/npo'
import { average, standardDeviation } from '@antipode/npo/evaluation'
import { expect, test } from 'vitest'
import { mixture, normalised } from './index.ts'

const host = new FakeHost()
const images = tensor(host, [0.25, 0.5, 1, 0.125], [4, 1, 1, 1])
const level = tensor(host, [1, 2, 3, 4], [4])
const brightness = (x: Tensor): Tensor => x.mean({ axes: [1, 2, 3] })
const gap = (x: Tensor, condition: Tensor): Tensor => brightness(x).sub(condition).square()
const valuesOf = (scores: Tensor): number[] => [...interpret([scores])[0]!]

test('a mixture is the weighted sum, and so is its gradient', () => {
  const both = mixture<Tensor>([[2, brightness], [-0.5, gap]])
  expect(valuesOf(both(images, level))).toEqual([0.5 - 0.5 * 0.75 ** 2, 1 - 0.5 * 1.5 ** 2, 0, 0.25 - 0.5 * 3.875 ** 2])
  expect(gradientGap(both(images, level).sum(), { images }).relative).toBeLessThan(1e-6)
  expect(valuesOf(mixture([[3, brightness]])(images, undefined))).toEqual([0.75, 1.5, 3, 0.375])
})

test('on its reference set a normalised reward has mean 0 and deviation 1', () => {
  const found = valuesOf(brightness(images))
  const scored = normalised<Condition>(brightness, { mean: average(found), deviation: standardDeviation(found) })
  const scores = valuesOf(scored(images, undefined))
  expect(Math.abs(average(scores))).toBeLessThan(1e-12)
  expect(Math.abs(standardDeviation(scores) - 1)).toBeLessThan(1e-12)
})

test('no rewards, weights that are no numbers and deviations of nothing are refused', () => {
  expect(() => mixture([])).toThrow('mixture: expected rewards, got none; give one or more')
  expect(() => mixture([[Number.NaN, brightness]])).toThrow('mixture: expected a weight to be a finite number')
  expect(() => mixture([[1, 2 as never]])).toThrow('mixture: expected a reward to be a function')
  expect(() => normalised(brightness, { mean: 0, deviation: 0 })).toThrow('expected deviation to be a positive')
  expect(() => normalised(brightness, { mean: 0 } as never)).toThrow('expected deviation')
})
