import { ConfigError, NumericError, ShapeError } from '@antipode/core'
import { checkOptions } from '@antipode/core/options'
import { compareRanges } from './ranges.ts'
import { finiteScores } from './scores.ts'
import {
  average,
  type BootstrapOptions,
  drawResamples,
  type Interval,
  meanInterval,
  pairedBootstrap,
  type PairedResult,
  type Resamples,
} from './statistics.ts'

/**
 * What is measured on every sample, by name. `judge` decides between scales and arms; {@link falsifiers} also read
 * `reward`, which labelled the pairs, and `correct`, whether a classifier reads the class.
 */
export type Metric = string

/**
 * Scores of one arm. `scores[metric][seed][scale]` holds one number an item; item i of every arm, scale and metric of a
 * seed is the same class and initial noise.
 */
export interface ArmScores {
  readonly id: string
  readonly scores: Readonly<Record<Metric, readonly (readonly ArrayLike<number>[])[]>>
}

/** Scores of all arms on the same noises: the first index is the seed, the second the guidance scale. */
export interface EvaluationTable {
  readonly seeds: readonly number[]
  readonly scales: readonly number[]
  readonly arms: readonly ArmScores[]
  /**
   * What is drawn first when the table is resampled, the groups whose members resemble each other: seeds, by default,
   * where each has weights of its own; items, which stand for prompts, where seeds only draw noise for the same weights.
   */
  readonly clusters?: 'seed' | 'item'
}

/** A point of an arm's curve. */
export interface CurvePoint extends Interval {
  readonly scale: number
}

/** An arm's best guidance scale. */
export interface BestScale {
  readonly scale: number
  /** Mean score there. */
  readonly mean: number
  /** False if the best is the smallest or the largest scale tried, so that the true optimum may lie beyond the grid. */
  readonly interior: boolean
}

/** Which arm at which scale. */
export interface Cell {
  readonly arm: string
  readonly scale: number
}

/** Scores of a cell, and the seed and item that each is of. */
export interface CellScores {
  readonly values: number[]
  readonly seeds: number[]
  readonly items: number[]
}

/** The arm of that name, or undefined if it was not sampled. */
export function findArm(table: EvaluationTable, id: string): ArmScores | undefined {
  return table.arms.find((arm) => arm.id === id)
}

/**
 * Scores of one cell, seed after seed.
 *
 * @throws {ConfigError} if the table has no such arm, scale or metric. @throws {ShapeError} if scores are missing.
 */
export function cellScores(
  table: EvaluationTable,
  { arm, scale }: Cell,
  metric: Metric,
): CellScores {
  const at = table.scales.indexOf(scale)
  const found = findArm(table, arm)
  if (found === undefined || at < 0) {
    const arms = table.arms.map(({ id }) => id).join(', ')
    throw new ConfigError(
      `cellScores: expected an arm of ${arms} at a scale of ${table.scales.join(', ')}, got ${arm} at ${scale}; ` +
        'sample it first',
    )
  }
  const measured = Object.hasOwn(found.scores, metric) ? found.scores[metric] : undefined
  if (measured === undefined) {
    throw new ConfigError(
      `cellScores: expected a metric of ${Object.keys(found.scores).join(', ')}, got ${metric}; measure it first`,
    )
  }
  const cell: CellScores = { values: [], seeds: [], items: [] }
  for (const [s, seed] of table.seeds.entries()) {
    const scores = measured[s]?.[at]
    if (scores === undefined) {
      throw new ShapeError(
        `cellScores: expected scores of ${arm} for seed ${seed} at scale ${scale}, got none; sample every cell`,
      )
    }
    for (let i = 0; i < scores.length; i++) {
      cell.values.push(scores[i]!)
      cell.seeds.push(seed)
      cell.items.push(i)
    }
  }
  return cell
}

/**
 * Resamples of the table's items, clusters first and items within them second, for all statistics of the table.
 * Errors as `cellScores` and `drawResamples`.
 */
export function tableResamples(table: EvaluationTable, options: Omit<BootstrapOptions, 'clusters'>): Resamples {
  const [arm, scale] = [table.arms[0]?.id, table.scales[0]]
  if (arm === undefined || scale === undefined) {
    throw new ConfigError('tableResamples: expected arms and scales, got an empty table; sample first')
  }
  const { values, seeds, items } = cellScores(table, { arm, scale }, 'judge')
  return drawResamples(values.length, { ...options, clusters: table.clusters === 'item' ? items : seeds })
}

/** Mean and 95% interval of an arm at every scale. Errors as `cellScores` and `meanInterval`. */
export function curve(table: EvaluationTable, arm: string, metric: Metric, resamples: Resamples): CurvePoint[] {
  return table.scales.map((scale) => ({
    scale,
    ...meanInterval(cellScores(table, { arm, scale }, metric).values, resamples),
  }))
}

/**
 * The scale with the greatest mean; the smaller one of two that tie.
 *
 * @throws {ConfigError} if the curve is empty. @throws {NumericError} if a mean is not finite: it would be passed over.
 */
export function bestScale(points: readonly { readonly scale: number; readonly mean: number }[]): BestScale {
  const sorted = [...points].sort((a, b) => a.scale - b.scale)
  const lost = sorted.find(({ mean }) => !Number.isFinite(mean))
  if (lost) {
    const where = `scale ${lost.scale}`
    throw new NumericError(`bestScale: expected finite means, got ${lost.mean} at ${where}; look for diverged samples`, { where })
  }
  const best = sorted.reduce<(typeof sorted)[number] | undefined>(
    (top, point) => (top === undefined || point.mean > top.mean ? point : top),
    undefined,
  )
  if (best === undefined)
    throw new ConfigError('bestScale: expected at least one scale, got none; sample the arm first')
  return { scale: best.scale, mean: best.mean, interior: best !== sorted[0] && best !== sorted.at(-1) }
}

/**
 * Each arm's best scale by mean judge score. Give it a table sampled from noises that are used for nothing else:
 * choosing and testing on the same noise would favour the arm with the noisier curve.
 */
export function bestScales(selection: EvaluationTable, metric: Metric = 'judge'): Record<string, BestScale> {
  return Object.fromEntries(
    selection.arms.map(({ id }) => [
      id,
      bestScale(
        selection.scales.map((scale) => ({
          scale,
          mean: average(cellScores(selection, { arm: id, scale }, metric).values),
        })),
      ),
    ]),
  )
}

/** Paired comparison of two cells on the same items. Errors as `cellScores` and `pairedBootstrap`. */
export function compareCells(
  table: EvaluationTable,
  a: Cell,
  b: Cell,
  options: CompareOptions,
): PairedResult {
  checkOptions('compareCells', options, compareRanges)
  const { metric = 'judge', resamples } = options
  const [left, right] = pairedScores(table, a, b, metric)
  return pairedBootstrap(left.values, right.values, resamples)
}

/** Options of {@link compareCells}. */
export interface CompareOptions {
  /** What is compared; 'judge' by default. */
  readonly metric?: Metric
  /** Of `tableResamples`. */
  readonly resamples: Resamples
}

/** Scores of two cells on the same items. @throws {ShapeError} if a seed has more items in one of them */
function pairedScores(table: EvaluationTable, a: Cell, b: Cell, metric: Metric): readonly [CellScores, CellScores] {
  const [left, right] = [cellScores(table, a, metric), cellScores(table, b, metric)]
  const count = (scores: CellScores, seed: number): number => scores.seeds.filter((s) => s === seed).length
  for (const seed of table.seeds) {
    const [m, n] = [count(left, seed), count(right, seed)]
    if (m !== n) throw new ShapeError(`compareCells: expected as many items of seed ${seed} in both cells, got ${m} and ${n}; score the same ones`)
  }
  return [left, right]
}

/** Mean difference a − b of each training seed by itself, in the table's order. Errors as `compareCells`. */
export function differenceBySeed(table: EvaluationTable, a: Cell, b: Cell, metric: Metric = 'judge'): number[] {
  const [left, right] = pairedScores(table, a, b, metric)
  for (const [where, { values }] of [['a', left], ['b', right]] as const) finiteScores('differenceBySeed', where, values)
  return table.seeds.map((seed) =>
    average(left.values.map((v, i) => v - right.values[i]!).filter((_, i) => left.seeds[i] === seed)),
  )
}
