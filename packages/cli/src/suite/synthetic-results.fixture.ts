import { rng } from '@antipode/core/random'
import { armsOf, questionsOf } from './arms.ts'
import { suiteRecipe } from './recipe.ts'
import type { Held, MapRow, SuiteResults } from './results.ts'
import { lengthName, stepsOf, trainingsOf, variants } from './trainings.ts'

/** What a made-up world answers: the difference from −η of a negative at a cosine. */
export interface SyntheticWorld {
  readonly gain?: (cosine: number) => number
  readonly seeds?: number
  readonly adapter?: string
}

/** Results of the shape of a real run, from made-up numbers. */
export function syntheticResults({ gain = (cosine) => 0.05 * (cosine + 0.9), seeds = 4, adapter = 'made up' }: SyntheticWorld = {}): SuiteResults {
  const random = rng(5)
  const recipe = suiteRecipe({ seed: 0, seeds })
  const trainings = [...trainingsOf('lora'), ...trainingsOf('full'), ...variants]
  const names = [...new Set(trainings.map(lengthName))]
  const lengths = Object.fromEntries(names.map((name, i) => [name, recipe.lengths[i % recipe.lengths.length]!]))
  const questions = questionsOf(trainings.filter(({ form }) => form !== 'eta'))
  const held = (mean: number): Held => {
    const [width, wins] = [0.004 + 0.004 * random.uniform(), Math.min(0.95, Math.max(0.05, 0.5 + 4 * mean))]
    return {
      scaleA: 4, scaleB: 6,
      difference: { mean, low: mean - width, high: mean + width },
      winRate: { mean: wins, low: wins - 0.05, high: wins + 0.05 },
      adjustedPValue: Math.abs(mean) > 2 * width ? 0.01 : 1,
    }
  }
  const cosines = new Map(questions.map(({ training }) => [training.id, -0.99 + 0.8 * random.uniform()]))
  return {
    version: '0.1.0', adapter, base: 'ab'.repeat(32), recipe,
    choice: {
      lengths,
      candidates: names.flatMap((name) => recipe.lengths.map((length) => ({ name, length, scale: 6, judge: length === lengths[name] ? -0.4 : -0.41 }))),
    },
    rows: questions.map(({ training, setting }): MapRow => {
      const { method, form, weights, variant } = training
      const cosine = cosines.get(training.id)!
      return {
        method, form, weights, setting, ...(variant === undefined ? {} : { variant }), steps: stepsOf(training, lengths, recipe),
        reversed: held(gain(cosine)), plain: held(gain(cosine) + 0.03),
        geometry: recipe.seeds.map((seed) => ({ cosine: cosine + 0.01 * seed, length: 1 + 0.1 * seed })),
      }
    }),
    arms: armsOf(questions).map(({ id }, i) => ({ id, scale: 6, interior: i % 7 > 0, judge: { mean: -0.4, low: -0.41, high: -0.39 } })),
  }
}
