import {
  bestScales, cellScores, compareAtBest, type Comparison, type EvaluationTable, meanInterval, tableResamples,
} from '@antipode/npo/evaluation'
import type { Question, SettingName } from './arms.ts'
import type { Choice } from './choose.ts'
import type { FormName, MethodName, SuiteRecipe, WeightsName } from './recipe.ts'
import type { Geometry } from './seed.ts'
import { type Lengths, stepsOf } from './trainings.ts'

/** How one arm did against another, each at its own best scale. */
export type Held = Pick<Comparison, 'scaleA' | 'scaleB' | 'winRate' | 'difference' | 'adjustedPValue'>

/** One negative in one setting. */
export interface MapRow {
  readonly method: MethodName
  readonly variant?: string
  readonly form: FormName
  readonly weights: WeightsName
  readonly setting: SettingName
  readonly steps: number
  /** Against −η in its place, of the length that is better on the noises of selection; `control` is that arm. */
  readonly reversed: Held
  readonly control: string
  /** Against the same positive weights on both branches. */
  readonly plain: Held
  /** Seed by seed. */
  readonly geometry: readonly Geometry[]
}

/** Mean scores of an arm at its best scale. */
export interface MapArm {
  readonly id: string
  readonly scale: number
  readonly interior: boolean
  readonly judge: { readonly mean: number; readonly low: number; readonly high: number }
}

/** `map.json`: everything that the page of the map is drawn from. */
export interface SuiteResults {
  readonly version: string
  readonly adapter: string
  readonly base: string
  readonly recipe: SuiteRecipe
  readonly choice: Choice
  readonly rows: readonly MapRow[]
  readonly arms: readonly MapArm[]
}

/** The scores of all seeds, on both sets of noises, and how the offsets lie. */
export interface SuiteScores {
  readonly recipe: SuiteRecipe
  readonly lengths: Lengths
  readonly questions: readonly Question[]
  readonly table: EvaluationTable
  readonly selection: EvaluationTable
  readonly geometry: readonly Readonly<Record<string, Geometry>>[]
}

/** Compares every negative with −η and with none, each at its best scale; Holm's correction is over each of the two sets. */
export function resultsOf({ recipe, lengths, questions, table, selection, geometry }: SuiteScores): Pick<SuiteResults, 'rows' | 'arms'> {
  const resamples = tableResamples(table, { seed: 0, samples: recipe.evaluation.resamples })
  const best = bestScales(selection)
  const controls = questions.map((question) => question.reversed.reduce((a, b) => (best[b]!.mean > best[a]!.mean ? b : a)))
  const against = (others: readonly string[]): Comparison[] =>
    compareAtBest(table, best, { resamples, pairs: questions.map(({ arm }, i) => [arm, others[i]!] as const) })
  const [reversed, plain] = [against(controls), against(questions.map((question) => question.plain))]
  const rows = questions.map(({ training, setting }, i): MapRow => ({
    method: training.method, ...(training.variant ? { variant: training.variant } : {}), form: training.form, weights: training.weights, setting,
    steps: stepsOf(training, lengths, recipe), reversed: held(reversed[i]!), control: controls[i]!, plain: held(plain[i]!),
    geometry: geometry.map((seed) => seed[training.id]!),
  }))
  const arms = table.arms.map(({ id }): MapArm => {
    const { scale, interior } = best[id]!
    const { mean, low, high } = meanInterval(cellScores(table, { arm: id, scale }, 'judge').values, resamples)
    return { id, scale, interior, judge: { mean, low, high } }
  })
  return { rows, arms }
}

function held({ scaleA, scaleB, winRate, difference, adjustedPValue }: Comparison): Held {
  return { scaleA, scaleB, winRate, difference, adjustedPValue }
}
