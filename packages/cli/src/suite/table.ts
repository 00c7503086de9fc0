import type { EvaluationTable } from '@antipode/npo/evaluation'
import type { StageArrays } from '../demo/index.ts'
import { metricNames } from './evaluate.ts'
import type { SuiteRecipe } from './recipe.ts'

/** Scores of the arms of several seeds as the evaluation protocol takes them. */
export function tableOf(
  recipe: SuiteRecipe, seeds: readonly number[], scored: readonly ReadonlyMap<string, StageArrays>[], noises: 'evaluation' | 'selection',
): EvaluationTable {
  const { scales } = recipe.evaluation
  const rowsOf = (arrays: StageArrays | undefined, metric: string): Float32Array[] => {
    const { shape: [, count = 0] = [], data = new Float32Array() } = arrays?.[`${noises}.${metric}`] ?? {}
    return scales.map((_, k) => data.subarray(k * count, (k + 1) * count))
  }
  const ids = [...scored[0]?.keys() ?? []]
  const arms = ids.map((id) => ({
    id, scores: Object.fromEntries(metricNames.map((metric) => [metric, scored.map((seed) => rowsOf(seed.get(id), metric))])),
  }))
  return { seeds, scales, arms }
}
