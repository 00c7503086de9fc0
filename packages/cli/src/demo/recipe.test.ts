import { ARMS, COMPARISONS } from '@antipode/npo/evaluation'
import { describe, expect, test } from 'vitest'
import { armsOf, recipeOf } from './recipe.ts'

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

describe('armsOf', () => {
  const arms = armsOf(normal, 1.25)
  const weights = Object.fromEntries(arms.map(({ id, positive, negative }) => [id, [positive, negative]]))

  test('has every arm that the comparisons name, once, base first', () => {
    expect(arms.map(({ id }) => id)).toEqual(Object.values(ARMS))
    expect(new Set(COMPARISONS.flat())).toEqual(new Set(arms.map(({ id }) => id)))
  })

  test('puts δ on the negative branch and η on the positive one', () => {
    expect(weights[ARMS.base]).toEqual([{}, {}])
    expect(weights[ARMS.npo]).toEqual([{}, { delta: 1 }])
    expect(weights[ARMS.dpo]).toEqual([{ eta: 1 }, { eta: 1 }])
    expect(weights[ARMS.merged]).toEqual([{ eta: 1 }, { eta: 1, delta: 1 }])
    expect(weights[ARMS.unmerged]).toEqual([{ eta: 1 }, { delta: 1 }])
    expect(armsOf({ ...normal, merge: { alpha: 0.5, beta: 0.75 } }, 1).find(({ id }) => id === ARMS.merged))
      .toMatchObject({ negative: { eta: 0.5, delta: 0.75 }, words: ['θ + η', 'θ + 0.5·η + 0.75·δ'] })
  })

  test('controls for the length of the step away: −η as long as δ, and a random offset', () => {
    expect(arms.filter(({ role }) => role === 'control').map(({ id }) => id)).toEqual([ARMS.extrapolation, ARMS.random])
    expect(weights[ARMS.extrapolation]).toEqual([{}, { eta: -1.25 }])
    expect(weights[ARMS.random]).toEqual([{}, { random: 1 }])
  })
})
