import { expect, test } from 'vitest'
import { rng } from '@antipode/core/random'
import type { StageArrays } from '../demo/index.ts'
import { armsOf, questionsOf } from './arms.ts'
import { suiteRecipe } from './recipe.ts'
import { resultsOf } from './results.ts'
import { tableOf } from './table.ts'
import { etaOf, stepsOf, trainingsOf, variants } from './trainings.ts'

const recipe = suiteRecipe({ seed: 3, seeds: 4 })
const all = [...trainingsOf('lora'), ...trainingsOf('full'), ...variants]
const negatives = all.filter(({ form }) => form !== 'eta')
const questions = questionsOf(negatives)

test('seeds that choose lengths are not reported on', () => {
  expect(recipe.seeds).toEqual([3, 4, 5, 6])
  expect(recipe.choiceSeeds.filter((seed) => recipe.seeds.includes(seed))).toEqual([])
})

test('every negative is asked about in every setting, beside an η that is trained, and every arm once', () => {
  expect(negatives).toHaveLength(2 * (4 * 2 + 1) + 3)
  expect(questions).toHaveLength(3 * negatives.length)
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  for (const { training } of questions) expect(all.some(({ id, form }) => id === etaOf(training) && form === 'eta'), training.id).toBe(true)
  const arms = armsOf(questions)
  const ids = arms.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { arm, reversed, plain } of questions) expect(ids).toEqual(expect.arrayContaining([arm, reversed, plain]))
  // 21 negatives and 8 reversed η in 3 settings; the base and 8 tuned models alone.
  expect(arms).toHaveLength(3 * (negatives.length + 8) + 1 + 8)
  const merged = arms.find(({ id }) => id === 'merged/spo-guided-full')
  expect(merged).toMatchObject({ positive: { 'spo-eta-full': 1 }, negative: { 'spo-eta-full': 1, 'spo-guided-full': 1 } })
})

test('lengths are those chosen for the method and form, but of the variant that is longer', () => {
  const lengths = { 'dpo-swap': 100, 'kto-guided': 40 }
  const steps = Object.fromEntries(all.map((one) => [one.id, stepsOf(one, lengths, recipe)]))
  expect(steps).toMatchObject({
    'dpo-swap-lora': 100, 'dpo-swap-full': 100, 'kto-guided-full': 40, 'dpo-swap-lora-long': recipe.long, 'dpo-swap-lora-hinge': 100,
  })
})

test('scores become rows: a negative that is better is found better, at its own scale, and no other', () => {
  const { scales, perSeed, selectionPerSeed } = recipe.evaluation
  const winner = 'base/kto-swap-lora'
  const scored = recipe.seeds.map((seed) => new Map(armsOf(questions).map(({ id }): [string, StageArrays] => {
    const random = rng(7, { stream: seed * 1000 + [...id].reduce((sum, c) => sum + c.charCodeAt(0), 0) })
    const arrays: Record<string, StageArrays[string]> = {}
    for (const [set, count] of [['evaluation', perSeed], ['selection', selectionPerSeed]] as const) {
      for (const metric of ['judge', 'reward', 'correct']) {
        const data = Float32Array.from({ length: scales.length * count }, (_, i) =>
          (id === winner ? 0.5 : 0) - 0.1 * Math.abs(Math.floor(i / count) - (id === winner ? 1 : 3)) + 0.02 * random.uniform())
        arrays[`${set}.${metric}`] = { shape: [scales.length, count], data }
      }
    }
    return [id, arrays]
  })))
  const geometry = recipe.seeds.map(() => Object.fromEntries(negatives.map(({ id }) => [id, { cosine: -0.5, length: 2 }])))
  const { rows, arms } = resultsOf({
    recipe: { ...recipe, evaluation: { ...recipe.evaluation, resamples: 200 } }, lengths: {}, questions, geometry,
    table: tableOf(recipe, recipe.seeds, scored, 'evaluation'), selection: tableOf(recipe, recipe.seeds, scored, 'selection'),
  })
  expect(rows).toHaveLength(questions.length)
  const better = rows.filter(({ reversed }) => reversed.difference.low > 0.4)
  expect(better).toHaveLength(1)
  expect(better[0]).toMatchObject({ method: 'kto', form: 'swap', weights: 'lora', setting: 'base', reversed: { scaleA: scales[1], scaleB: scales[3] } })
  expect(better[0]!.geometry).toHaveLength(4)
  expect(arms.find(({ id }) => id === winner)).toMatchObject({ scale: scales[1], interior: true })
})
