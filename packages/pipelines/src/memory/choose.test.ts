import { OutOfMemoryError } from '@antipode/core'
import { expect, test } from 'vitest'
import { type Costs, type MemoryChoices, planWithin } from './index.ts'

const costs: Costs = {
  dtype: 'f16',
  models: new Map([
    ['unet', 1000],
    ['vae', 200],
    ['text_encoder', 300],
  ]),
  adapters: 10,
  held: 5,
  image: 20,
  canJoin: true,
  prompts: () => 50,
  start: () => 0,
  step: (branches) => (branches === 'together' ? 200 : 120),
  decodings: () => [
    { tiling: false, peakBytes: 900 },
    { tiling: { size: 512 }, peakBytes: 500 },
    { tiling: { size: 256 }, peakBytes: 80 },
  ],
}

const rows = (of: Costs, budgets: readonly number[]): unknown[] =>
  budgets.map((budget) => {
    const { peak, choices: { branches, leaving, tiling } } = planWithin('test', of, budget)
    expect(peak).toBeLessThanOrEqual(budget)
    return [peak, branches, leaving.length, typeof tiling === 'object' ? tiling.size : tiling]
  })

test('a budget is kept by what costs least: two passes, models that come and go, and then tiles', () => {
  expect(rows(costs, [Infinity, 2435, 2434, 2200, 2134, 1500])).toEqual([
    [2435, 'together', 0, false],
    [2435, 'together', 0, false],
    // Without the text encoder while a picture is decoded; and without the UNet.
    [2135, 'together', 1, false],
    [2135, 'together', 1, false],
    [1215, 'together', 3, false],
    [1215, 'together', 3, false],
  ])
  const small: Costs = { ...costs, decodings: () => [{ tiling: false, peakBytes: 80 }] }
  expect(rows(small, [1715, 1714, 1634])).toEqual([
    [1715, 'together', 0, false],
    [1635, 'apart', 0, false],
    [1560, 'together', 1, false],
  ])
})

test('tiles come last, as colours differ a little in them', () => {
  const large: Costs = { ...costs, decodings: () => [{ tiling: false, peakBytes: 9000 }, ...costs.decodings()] }
  expect(rows(large, [9300, 2500, 1214])).toEqual([
    [9235, 'together', 3, false],
    [2435, 'together', 0, false],
    [1135, 'apart', 3, false],
  ])
})

test('what a call takes is told by its parts, adapters among the weights, and what leaves is not there', () => {
  const { weights, prompts, step, decode, start } = planWithin('test', { ...costs, start: () => 70 }, 1360)
  expect({ weights, prompts, start, step, decode }).toEqual({
    weights: 1500,
    prompts: { weights: 310, beside: 50 },
    start: { weights: 210, beside: 75 },
    step: { weights: 1010, beside: 205 },
    decode: { weights: 210, beside: 925 },
  })
})

test('a budget that cannot be kept is refused with the smallest that can, and how', () => {
  expect(() => planWithin('test', costs, 1134)).toThrow(OutOfMemoryError)
  expect(() => planWithin('test', costs, 1134)).toThrow(
    'test: expected a budget of 1135 bytes (0.0 MiB) or more, got 1134 (0.0 MiB); that would do with one branch of guidance after ' +
      'the other, text_encoder, vae, unet on the GPU only while needed; ask for smaller pictures, or for fewer at once, or load with dtype \'q8_0\'',
  )
  const choices: MemoryChoices = planWithin('test', { ...costs, canJoin: false }, Infinity).choices
  expect(choices.branches).toBe('apart')
})
