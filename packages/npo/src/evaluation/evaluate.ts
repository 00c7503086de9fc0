import { checkOptions, required, whole } from '@antipode/core/options'
import { type Comparison, compareAtBest, compareAtEqualScale } from './comparisons.ts'
import { type Falsifier, falsifiers } from './falsifiers.ts'
import { average } from './statistics.ts'
import {
  type BestScale,
  bestScales,
  cellScores,
  curve,
  type CurvePoint,
  type EvaluationTable,
  type Metric,
  tableResamples,
} from './table.ts'

/** Means of one seed, arm and scale. */
export interface CellMeans {
  readonly seed: number
  readonly arm: string
  readonly scale: number
  /** Samples scored. */
  readonly count: number
  readonly judge: number
  readonly reward: number
  /** Share of samples that the classifier reads as the class asked for. */
  readonly accuracy: number
}

/** A metric of an arm over the scales, with 95% intervals. */
export interface ArmCurve {
  readonly arm: string
  readonly metric: Metric
  readonly points: readonly CurvePoint[]
}

/** Options of {@link evaluateArms}. */
export interface EvaluateOptions {
  /** Of the bootstrap, whole, in [0, 2⁵³). */
  readonly seed: number
  /** Bootstrap resamples, whole, 1 or more; default 2,000. */
  readonly samples?: number
}

/** Everything that the evaluation protocol asks to report; plain data. */
export interface Evaluation {
  readonly seeds: readonly number[]
  readonly scales: readonly number[]
  readonly cells: readonly CellMeans[]
  readonly curves: readonly ArmCurve[]
  /** Best scale of each arm by the judge, on the selection noises. */
  readonly best: Readonly<Record<string, BestScale>>
  /** Question (i): both arms at the same scale, every scale. */
  readonly equalScale: readonly Comparison[]
  /** Question (ii): each arm at its own best scale. */
  readonly ownBest: readonly Comparison[]
  readonly falsifiers: readonly Falsifier[]
}

const METRICS = ['judge', 'reward', 'correct'] as const satisfies Metric[]

/**
 * Runs the whole protocol: best scales on `selection`, then curves, paired comparisons and falsifiers on `table`.
 *
 * @param selection scores from noises that `table` does not use
 * @throws {ConfigError} if an arm or scale of one table is missing in the other, or an option is unknown or outside its range.
 * @throws {NumericError} if a score is not finite. @throws {ShapeError} if there are fewer than two items.
 */
export function evaluateArms(
  table: EvaluationTable,
  selection: EvaluationTable,
  options: EvaluateOptions,
): Evaluation {
  checkOptions('evaluateArms', options, { seed: required(whole(0)), samples: whole(1) })
  const { seed, samples = 2000 } = options
  const resamples = tableResamples(table, { seed, samples })
  const best = bestScales(selection)
  return {
    seeds: table.seeds,
    scales: table.scales,
    cells: table.seeds.flatMap((_, s) => table.arms.flatMap(({ id }) => seedMeans(table, s, id))),
    curves: table.arms.flatMap(({ id }) =>
      METRICS.map((metric) => ({ arm: id, metric, points: curve(table, id, metric, resamples) })),
    ),
    best,
    equalScale: compareAtEqualScale(table, { resamples }),
    ownBest: compareAtBest(table, best, { resamples }),
    falsifiers: falsifiers({ table, best, resamples }),
  }
}

function seedMeans(table: EvaluationTable, s: number, arm: string): CellMeans[] {
  const seed = table.seeds[s]!
  return table.scales.map((scale) => {
    const of = (metric: Metric): number[] => {
      const { values, clusters } = cellScores(table, { arm, scale }, metric)
      return values.filter((_, i) => clusters[i] === seed)
    }
    const judge = of('judge')
    return {
      seed,
      arm,
      scale,
      count: judge.length,
      judge: average(judge),
      reward: average(of('reward')),
      accuracy: average(of('correct')),
    }
  })
}
