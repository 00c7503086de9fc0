import { average } from '@antipode/npo/evaluation'
import { type Outcome, outcome } from '../../report/index.ts'
import type { SettingName } from '../arms.ts'
import type { FormName, MethodName, WeightsName } from '../recipe.ts'
import type { MapRow } from '../results.ts'

/** What a row is held against: −η, or the positive weights on both branches. */
export type Against = 'reversed' | 'plain'

export const methodLabels: Readonly<Record<MethodName, string>> = { dpo: 'DPO', kto: 'KTO', spo: 'SPO', draft: 'DRaFT', self: 'Self-NPO' }
export const formLabels: Readonly<Record<FormName, string>> = { eta: 'η', swap: 'by swap', guided: 'through guidance' }
export const weightsLabels: Readonly<Record<WeightsName, string>> = { lora: 'LoRA', full: 'full weights' }
export const settingLabels: Readonly<Record<SettingName, string>> = { base: 'on the base', tuned: 'beside η', merged: 'merged with η' }
const variantLabels: Readonly<Record<string, string>> = { hinge: 'hinge loss', long: 'trained longer', pairs: 'more pairs' }

/** How a variant is written; names that are not known stay as they are. */
export function variantLabel(variant: string): string {
  return variantLabels[variant] ?? variant
}

/** "DPO by swap, LoRA, hinge loss" */
export function negativeLabel({ method, form, weights, variant }: MapRow): string {
  const change = variant === undefined ? '' : `, ${variantLabel(variant)}`
  return `${methodLabels[method]} ${formLabels[form]}, ${weightsLabels[weights]}${change}`
}

/** How many rows win, lose, or have an interval with 0 inside. */
export type Tally = Readonly<Record<Outcome, number>> & { readonly total: number }

/** Counts outcomes. */
export function tallyOf(rows: readonly MapRow[], against: Against): Tally {
  const count = (wanted: Outcome): number => rows.filter((row) => outcome(row[against]) === wanted).length
  return { better: count('better'), worse: count('worse'), undecided: count('undecided'), total: rows.length }
}

/** A number of each seed: its mean and its ends. */
export interface Spread {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** cos(η, δ) or |δ|/|η| over seeds. */
export function spreadOf({ geometry }: MapRow, measure: 'cosine' | 'length'): Spread {
  const values = geometry.map((seed) => seed[measure])
  return { mean: average(values), low: Math.min(...values), high: Math.max(...values) }
}

/** Rows by a key, in the order in which keys first occur. */
export function grouped(rows: readonly MapRow[], keyOf: (row: MapRow) => string): [key: string, rows: MapRow[]][] {
  const groups = new Map<string, MapRow[]>()
  for (const row of rows) groups.set(keyOf(row), [...groups.get(keyOf(row)) ?? [], row])
  return [...groups]
}

/** Spearman's rank correlation, NaN where either list is constant. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)]
  const middle = (a.length + 1) / 2
  const product = (p: readonly number[], q: readonly number[]): number => p.reduce((sum, one, i) => sum + (one - middle) * (q[i]! - middle), 0)
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y))
}

/** Ranks from 1; equal values share the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((one) => one < value).length
    const equal = values.filter((one) => one === value).length
    return below + (equal + 1) / 2
  })
}
