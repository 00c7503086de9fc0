import { describe, expect, test } from 'vitest'
import { recipeOf } from './recipe.ts'

const fast = recipeOf({ model: 'digits-16', seed: 5, fast: true })
const normal = recipeOf({ model: 'digits-16', seed: 5, fast: false })
const full = recipeOf({ model: 'digits-16', seed: 5, fast: false, full: 3 })

describe('recipeOf', () => {
  test('counts seeds up from the one given, as many as the mode or the user says', () => {
    expect([fast.seeds, normal.seeds, full.seeds]).toEqual([[5], [5, 6], [5, 6, 7]])
    // The user's number goes before `fast`.
    expect(recipeOf({ model: 'digits-16', seed: 0, fast: true, full: 1 })).toEqual({ ...full, seeds: [0] })
  })

  test('changes amounts only: everything that decides what is computed is the same in all modes', () => {
    const decisive = ({ pairs, training, evaluation, sampling, merge, model }: typeof fast): unknown =>
      ({ pairs: { ...pairs, count: 0 }, training: { ...training, steps: 0 }, scales: evaluation.scales, sampling, merge, model })
    expect(decisive(normal)).toEqual(decisive(fast))
    expect(decisive(full)).toEqual(decisive(fast))
    const amounts = [fast, normal, full].map((r) =>
      [r.pairs.count, r.training.steps, r.evaluation.perSeed, r.evaluation.selectionPerSeed, r.movingSteps])
    for (const i of amounts[0]?.keys() ?? []) {
      const [a = 0, b = 0, c = 0] = amounts.map((row) => row[i] ?? Number.NaN)
      expect(a < b && b < c, `${a} < ${b} < ${c}`).toBe(true)
    }
  })

  test('asks for scales from 1, no guidance, upwards, and for every digit equally often', () => {
    for (const { evaluation: { scales, perSeed, selectionPerSeed }, pairs } of [fast, normal]) {
      expect(scales[0]).toBe(1)
      expect([...scales].sort((a, b) => a - b)).toEqual(scales)
      expect([perSeed % 10, selectionPerSeed % 10, pairs.count % 10]).toEqual([0, 0, 0])
    }
  })
})
