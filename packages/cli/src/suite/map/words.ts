import { fixed, gainSpan, percentSpan, scaleText, signed } from '../../report/index.ts'
import type { MapRow, SuiteResults } from '../results.ts'
import { type Against, grouped, negativeLabel, rankCorrelation, settingLabels, spreadOf, tallyOf } from './rows.ts'

/** What was asked, before any answer. */
export const question: string =
  'A negative model δ is trained on what a preference method rejects, and guidance leads away from it. A reversed positive offset, −η, needs ' +
  'no negative training and does a similar thing. So each negative is held against −η in its place, at the better of two lengths, and ' +
  'against no negative at all: the same positive weights on both branches. All arms start from the same noises, each at ' +
  'its own best guidance scale, which is chosen on other noises.'

/** What forms and settings are. */
export const termsInWords: string =
  'By swap, δ is trained on the reversed preference; through guidance (guided), on the preference inside of the guided prediction, whose ' +
  'positive branch stays the base. ' +
  'On the base, guidance leads from θ + δ to θ; beside η, from θ + δ to θ + η; merged with η, from θ + η + δ to θ + η. Self-NPO holds no ' +
  'preference of its own and stands beside the η of DPO.'

/** Why cosines matter. */
export const pilot: string =
  'A pilot of this experiment, in numpy and with another model, won 65% of pairs against −η where cos(η, δ) was −0.73, and equalled −η ' +
  'where it was −0.92: its gain seemed to hang on how far δ departs from −η.'

/** One sentence for the top of the page. */
export function headline({ rows }: SuiteResults): string {
  const { better, worse, undecided, total } = tallyOf(rows, 'reversed')
  return `Held against −η, negatives win ${better} of ${total} comparisons, lose ${worse} and leave ${undecided} undecided`
}

/** The answer, each number of it made from the rows. */
export function answer({ rows }: SuiteResults): string {
  const settings = new Set(rows.map(({ setting }) => setting)).size
  const negatives = new Set(rows.map(negativeLabel)).size
  const plain = tallyOf(rows, 'plain')
  return (
    `${negatives} negatives in ${settings} settings make ${rows.length} comparisons. One is won where the whole 95% interval of the paired difference ` +
    `of the judge’s score lies above 0, lost where it lies below. ${verdict(rows, 'reversed')} ${kept(rows, 'reversed')} ` +
    `Were there no difference anywhere, about ${fixed(0.05 * rows.length, 0)} intervals would exclude 0 by chance. ` +
    `Against no negative at all, ${plain.better} are won, ${plain.worse} lost and ${plain.undecided} undecided. ${kept(rows, 'plain')}`
  )
}

function verdict(rows: readonly MapRow[], against: Against): string {
  const { better, worse, undecided } = tallyOf(rows, against)
  return `Against −η, ${better} are won, ${worse} lost and ${undecided} undecided.`
}

function kept(rows: readonly MapRow[], against: Against): string {
  const { better, worse } = tallyOf(rows.filter((row) => row[against].adjustedPValue < 0.05), against)
  return `After Holm’s correction over all ${rows.length}, ${better} of these wins and ${worse} of these losses have p below 0.05.`
}

/** What else the numbers say, a sentence each. */
export function findings({ rows }: SuiteResults): string[] {
  if (rows.length === 0) return []
  const by = [...rows].sort((a, b) => b.reversed.difference.mean - a.reversed.difference.mean)
  return [
    `The highest mean difference from −η: ${result(by[0]!)}`,
    `The lowest: ${result(by.at(-1)!)}`,
    ...correlations(rows),
  ]
}

function result(row: MapRow): string {
  const cosine = spreadOf(row, 'cosine')
  return `${negativeLabel(row)}, ${settingLabels[row.setting]}, ${gainSpan(row.reversed.difference)}, ${percentSpan(row.reversed.winRate)} of pairs, at cos(η, δ) = ${fixed(cosine.mean, 2)}.`
}

/** Whether the gain follows the angle, setting by setting. */
function correlations(rows: readonly MapRow[]): string[] {
  const parts = grouped(rows, ({ setting }) => settingLabels[setting]).map(([setting, own]) => {
    const rho = rankCorrelation(own.map((row) => spreadOf(row, 'cosine').mean), own.map((row) => row.reversed.difference.mean))
    return Number.isNaN(rho) ? `none to compute ${setting}` : `${signed(rho, 2)} ${setting}`
  })
  return [`Spearman’s rank correlation of cos(η, δ) with the difference from −η, over all negatives: ${parts.join(', ')}. Above 0, δ gains more the further it departs from −η.`]
}

/** What limits the claims. */
export function caveats({ rows, arms, recipe, choice }: SuiteResults): string[] {
  const { seeds, choiceSeeds, evaluation: { scales, perSeed, selectionPerSeed, resamples } } = recipe
  const ends = arms.filter(({ interior }) => !interior).length
  const floor = 2 / (resamples + 1)
  return [
    `${seeds.length} training ${seeds.length === 1 ? 'seed' : 'seeds'} of ${perSeed} pairs each. Intervals are 95%, by the bootstrap over seeds first and pairs within ` +
      'them second; from so few seeds they tend to be too narrow, and p to be too small.',
    'One small model of handwritten digits, one reward and one judge, both made for this; nothing here speaks for photographs or for people.',
    `Each method and form trains with LoRA for the best of ${recipe.lengths.join(', ')} steps by the judge on ${choiceSeeds.length === 1 ? 'a seed' : `${choiceSeeds.length} seeds`} of ` +
      `its own (${choice.candidates.length} candidates), and full weights as long; no other setting was tuned for a method.`,
    `Scales are chosen among ${scales.map(scaleText).join(', ')} on ${selectionPerSeed} noises a seed. The best is at an end of these for ${ends} of ${arms.length} arms, whose ` +
      'true best may lie outside.',
    '−η is tried at two lengths, its own and that of the δ by swap of the same method and weights, and stands where it is better on the noises that choose scales; other lengths were not tried. ' +
      'The first was added after results with the second alone had been seen: where a δ by swap is many times as long as η, −η of that length is a weak control.',
    `Of ${resamples} resamples no p can be below ${floor.toPrecision(2)}, and none that Holm corrects over ${rows.length} comparisons below ` +
      `${Math.min(1, floor * rows.length).toPrecision(2)}.`,
  ]
}
