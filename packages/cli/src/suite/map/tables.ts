import { fixed, gainSpan, type Outcome, outcome, percentSpan, pValueText, scaleText } from '../../report/index.ts'
import type { MapRow, SuiteResults } from '../results.ts'
import {
  type Against, formLabels, grouped, methodLabels, negativeLabel, settingLabels, type Spread, spreadOf, tallyOf, variantLabel, weightsLabels,
} from './rows.ts'

/** A cell, and how it is coloured. */
export interface Cell {
  readonly text: string
  readonly outcome?: Outcome
}

/** A table for whoever writes HTML or Markdown of it. */
export interface Table {
  readonly head: readonly string[]
  /** So many first columns are words, the others numbers. */
  readonly words: number
  readonly rows: readonly (readonly Cell[])[]
}

const plainCells = (...texts: readonly (string | number)[]): Cell[] => texts.map((text) => ({ text: String(text) }))

function gain(row: MapRow, against: Against): Cell {
  return { text: gainSpan(row[against].difference), outcome: outcome(row[against]) }
}

/** "−0.81 [−0.85, −0.78]": mean, least and most of the seeds. */
function spreadText({ mean, low, high }: Spread): string {
  return `${fixed(mean, 2)} [${fixed(low, 2)}, ${fixed(high, 2)}]`
}

/** Outcomes counted by method, form, weights and setting. */
export function tallyTable({ rows }: SuiteResults): Table {
  const unchanged = rows.filter(({ variant }) => variant === undefined)
  const changed = rows.filter(({ variant }) => variant !== undefined)
  const groups = [
    ...grouped(unchanged, ({ method }) => methodLabels[method]),
    ...grouped(changed, ({ method }) => `${methodLabels[method]}, one thing changed`),
    ...grouped(rows, ({ form }) => formLabels[form]),
    ...grouped(rows, ({ weights }) => weightsLabels[weights]),
    ...grouped(rows, ({ setting }) => settingLabels[setting]),
    ['all', rows] as const,
  ]
  const counts = (own: readonly MapRow[], against: Against): Cell[] => {
    const { better, worse, undecided } = tallyOf(own, against)
    return plainCells(better, worse, undecided)
  }
  return {
    head: ['Negatives', 'Comparisons', 'Won against −η', 'lost', 'undecided', 'Won against none', 'lost', 'undecided'],
    words: 1,
    rows: groups.map(([name, own]) => [...plainCells(name, own.length), ...counts(own, 'reversed'), ...counts(own, 'plain')]),
  }
}

/** The δ by swap with LoRA of methods that have variants, and all that differ from it in one thing. */
export function variantTable({ rows }: SuiteResults): Table {
  const settings = [...new Set(rows.map(({ setting }) => setting))]
  const methods = new Set(rows.filter(({ variant }) => variant !== undefined).map(({ method }) => method))
  const changes = ({ form, weights, variant }: MapRow): number => [form !== 'swap', weights !== 'lora', variant !== undefined].filter(Boolean).length
  const kin = rows.filter((row) => methods.has(row.method) && changes(row) <= 1)
  return {
    head: ['δ', 'Steps', 'cos(η, δ) [seeds]', '|δ|/|η| [seeds]', ...settings.map((setting) => `Difference from −η ${settingLabels[setting]} [95%]`)],
    words: 1,
    rows: grouped(kin, negativeLabel).map(([name, own]) => [
      ...plainCells(name, own[0]!.steps, spreadText(spreadOf(own[0]!, 'cosine')), spreadText(spreadOf(own[0]!, 'length'))),
      ...settings.map((setting) => {
        const row = own.find((one) => one.setting === setting)
        return row === undefined ? { text: '–' } : gain(row, 'reversed')
      }),
    ]),
  }
}

/** Every row with its numbers against −η, against none, or both. */
export function rowTable({ rows }: SuiteResults, againsts: readonly Against[]): Table {
  const names: Readonly<Record<Against, string>> = { reversed: '−η', plain: 'none' }
  const held = (row: MapRow, against: Against): Cell[] => {
    const { scaleA, scaleB, winRate, adjustedPValue } = row[against]
    const [scales, won, p] = plainCells(`${scaleText(scaleA)}, ${scaleText(scaleB)}`, percentSpan(winRate), pValueText(adjustedPValue))
    return [scales!, won!, gain(row, against), p!]
  }
  const columns = (name: string): string[] => [`w, w of ${name}`, `Pairs won against ${name} [95%]`, `Difference from ${name} [95%]`, 'p (Holm)']
  return {
    head: ['Method', 'Form', 'Weights', 'Setting', 'Steps', 'cos(η, δ) [seeds]', '|δ|/|η| [seeds]', ...againsts.flatMap((against) => columns(names[against]))],
    words: 4,
    rows: rows.map((row) => [
      ...plainCells(
        methodLabels[row.method] + (row.variant === undefined ? '' : `, ${variantLabel(row.variant)}`), formLabels[row.form], weightsLabels[row.weights],
        settingLabels[row.setting], row.steps, spreadText(spreadOf(row, 'cosine')), spreadText(spreadOf(row, 'length')),
      ),
      ...againsts.flatMap((against) => held(row, against)),
    ]),
  }
}

/** Judge's scores of all arms at their best scales. */
export function armTable({ arms }: SuiteResults): Table {
  return {
    head: ['Arm', 'Best w', 'Judge there [95%]'],
    words: 1,
    rows: arms.map(({ id, scale, interior, judge: { mean, low, high } }) =>
      plainCells(id, `${scaleText(scale)}${interior ? '' : ', an end'}`, `${fixed(mean, 4)} [${fixed(low, 4)}, ${fixed(high, 4)}]`)),
  }
}

/** Lengths that each method and form chose from. */
export function choiceTable({ choice: { lengths, candidates } }: SuiteResults): Table {
  return {
    head: ['Training', 'Steps', 'Best w', 'Judge', 'Chosen'],
    words: 1,
    rows: candidates.map(({ name, length, scale, judge }) =>
      plainCells(name, length, scaleText(scale), fixed(judge, 4), lengths[name] === length ? 'yes' : '')),
  }
}
