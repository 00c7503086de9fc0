import { checkOptions } from '@antipode/core/options'
import { armPairs, compareRanges } from './ranges.ts'
import { holm, type PairedResult } from './statistics.ts'
import { type BestScale, compareCells, type CompareOptions, type EvaluationTable, findArm } from './table.ts'

/** Names of the arms, positive/negative, that the pre-named comparisons and falsifiers look for. */
export const ARMS = {
  base: 'base/base',
  npo: 'base/npo',
  dpo: 'dpo/dpo',
  merged: 'dpo/merged',
  unmerged: 'dpo/npo',
  extrapolation: 'base/-eta',
  random: 'base/random',
} as const

const LABELS: Readonly<Record<string, string>> = {
  [ARMS.npo]: 'base/NPO',
  [ARMS.dpo]: 'DPO/DPO',
  [ARMS.merged]: 'DPO/merged',
  [ARMS.unmerged]: 'DPO/NPO',
  [ARMS.extrapolation]: 'base/(−η)',
}

/** How an arm is written for readers: "base/(−η)" for `base/-eta`; other names stay as they are. */
export function armLabel(id: string): string {
  return LABELS[id] ?? id
}

/**
 * Comparisons named before any result was seen (npo evaluation protocol); each asks whether the first beats the second.
 */
export const COMPARISONS: readonly (readonly [string, string])[] = [
  [ARMS.npo, ARMS.base],
  [ARMS.extrapolation, ARMS.base],
  [ARMS.npo, ARMS.extrapolation],
  [ARMS.random, ARMS.base],
  [ARMS.npo, ARMS.random],
  [ARMS.merged, ARMS.dpo],
  [ARMS.merged, ARMS.unmerged],
  [ARMS.dpo, ARMS.base],
  [ARMS.merged, ARMS.base],
]

/** One row of the table of paired comparisons. */
export interface Comparison extends PairedResult {
  readonly a: string
  readonly b: string
  readonly scaleA: number
  readonly scaleB: number
  /** p-value after Holm's correction over the rows that were computed together. */
  readonly adjustedPValue: number
}

/** Options of {@link compareAtBest} and {@link compareAtEqualScale}. */
export interface ComparisonOptions extends CompareOptions {
  /** Pairs of arms; the pre-named ones when left out. Pairs with an arm that was not sampled are skipped. */
  readonly pairs?: readonly (readonly [string, string])[]
}

const comparisonRanges = { ...compareRanges, pairs: armPairs }

/**
 * Question (ii) of the protocol: each arm at its own best scale, found on separate noise by `bestScales`.
 * Errors as `compareCells`.
 */
export function compareAtBest(
  table: EvaluationTable,
  best: Readonly<Record<string, BestScale>>,
  asked: ComparisonOptions,
): Comparison[] {
  checkOptions('compareAtBest', asked, comparisonRanges)
  const { pairs = COMPARISONS, ...options } = asked
  const rows = present(table, pairs)
    .filter(([a, b]) => best[a] !== undefined && best[b] !== undefined)
    .map(([a, b]) => [a, best[a]!.scale, b, best[b]!.scale] as const)
  return compareRows(table, rows, options)
}

/**
 * Question (i) of the protocol: both arms at the same scale, for every scale. Guidance from a negative model acts
 * partly as extra guidance, so these rows alone mislead. Errors as `compareCells`.
 */
export function compareAtEqualScale(
  table: EvaluationTable,
  asked: ComparisonOptions,
): Comparison[] {
  checkOptions('compareAtEqualScale', asked, comparisonRanges)
  const { pairs = COMPARISONS, ...options } = asked
  const rows = present(table, pairs).flatMap(([a, b]) => table.scales.map((scale) => [a, scale, b, scale] as const))
  return compareRows(table, rows, options)
}

function present(table: EvaluationTable, pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return pairs.filter((pair) => pair.every((id) => findArm(table, id) !== undefined))
}

function compareRows(
  table: EvaluationTable,
  rows: readonly (readonly [string, number, string, number])[],
  options: CompareOptions,
): Comparison[] {
  const results = rows.map(([a, scaleA, b, scaleB]) =>
    compareCells(table, { arm: a, scale: scaleA }, { arm: b, scale: scaleB }, options),
  )
  const adjusted = holm(results.map(({ pValue }) => pValue))
  return rows.map(([a, scaleA, b, scaleB], i) => ({
    a,
    b,
    scaleA,
    scaleB,
    ...results[i]!,
    adjustedPValue: adjusted[i]!,
  }))
}
