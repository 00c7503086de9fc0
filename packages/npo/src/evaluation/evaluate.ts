import { checkOptions, required, whole } from '@antipode/core/options'
import { type Comparison, compareAtBest, compareAtEqualScale } from './comparisons.ts'
import { type Falsifier, falsifiers } from './falsifiers.ts'
import { armPairs } from './ranges.ts'
import { average, type Resamples } from './statistics.ts'
import {
  type BestScale, bestScales, cellScores, curve, type CurvePoint, type EvaluationTable, type Metric, tableResamples,
} from './table.ts'

/** Means of one seed, arm and scale. */
export interface CellMeans {
  readonly seed: number
  readonly arm: string
  readonly scale: number
  /** Samples scored. */
  readonly count: number
  readonly means: Readonly<Record<Metric, number>>
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

/** Options of {@link compareArms}. */
export interface CompareArmsOptions extends EvaluateOptions {
  /** Pairs of arms, each of which asks whether the first beats the second. */
  readonly pairs: readonly (readonly [string, string])[]
}

/** How arms compare on the same items; plain data. */
export interface ArmComparison {
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
}

/** Everything that the evaluation protocol asks to report; plain data. */
export interface Evaluation extends ArmComparison {
  readonly falsifiers: readonly Falsifier[]
}

/**
 * Compares arms of any names: best scales on `selection`, then curves of every metric and paired comparisons by the
 * judge on `table`.
 *
 * @param selection scores from noises that `table` does not use
 * @throws {ConfigError} if an arm or scale of one table is missing in the other, or an option is unknown or outside its range
 * @throws {NumericError} if a score is not finite @throws {ShapeError} if there are fewer than two items
 */
export function compareArms(
  table: EvaluationTable, selection: EvaluationTable, options: CompareArmsOptions,
): ArmComparison {
  checkOptions('compareArms', options, { ...ranges, pairs: required(armPairs) })
  const { seed, samples = 2000, pairs } = options
  return compared(table, selection, tableResamples(table, { seed, samples }), pairs)
}

/**
 * Runs the whole protocol of the arms that {@link armsOf} names: {@link compareArms}, and falsifiers. Metrics are
 * judge, reward and correct. Errors as {@link compareArms}.
 */
export function evaluateArms(
  table: EvaluationTable, selection: EvaluationTable, options: EvaluateOptions,
): Evaluation {
  checkOptions('evaluateArms', options, ranges)
  const { seed, samples = 2000 } = options
  const resamples = tableResamples(table, { seed, samples })
  const comparison = compared(table, selection, resamples)
  return { ...comparison, falsifiers: falsifiers({ table, best: comparison.best, resamples }) }
}

const ranges = { seed: required(whole(0)), samples: whole(1) }

function compared(
  table: EvaluationTable, selection: EvaluationTable, resamples: Resamples,
  pairs?: readonly (readonly [string, string])[],
): ArmComparison {
  const best = bestScales(selection)
  const metrics = Object.keys(table.arms[0]?.scores ?? {})
  const options = { resamples, ...(pairs ? { pairs } : {}) }
  return {
    seeds: table.seeds,
    scales: table.scales,
    cells: table.seeds.flatMap((_, s) => table.arms.flatMap(({ id }) => seedMeans(table, s, id, metrics))),
    curves: table.arms.flatMap(({ id }) =>
      metrics.map((metric) => ({ arm: id, metric, points: curve(table, id, metric, resamples) })),
    ),
    best,
    equalScale: compareAtEqualScale(table, options),
    ownBest: compareAtBest(table, best, options),
  }
}

function seedMeans(table: EvaluationTable, s: number, arm: string, metrics: readonly Metric[]): CellMeans[] {
  const seed = table.seeds[s]!
  return table.scales.map((scale) => {
    const of = (metric: Metric): number[] => {
      const { values, seeds } = cellScores(table, { arm, scale }, metric)
      return values.filter((_, i) => seeds[i] === seed)
    }
    return {
      seed,
      arm,
      scale,
      count: of('judge').length,
      means: Object.fromEntries(metrics.map((metric) => [metric, average(of(metric))])),
    }
  })
}
