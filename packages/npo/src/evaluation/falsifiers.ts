import { armLabel, ARMS } from './comparisons.ts'
import { type PairedResult, type Resamples, standardDeviation } from './statistics.ts'
import {
  type BestScale,
  type Cell,
  compareCells,
  differenceBySeed,
  type EvaluationTable,
  findArm,
  type Metric,
} from './table.ts'

/** What an observation says about the claim. */
export type Verdict = 'falsified' | 'survives' | 'inconclusive'

/** One way in which the claim could have failed, fixed in advance, and what was found. */
export interface Falsifier {
  readonly id: 'F1' | 'F2' | 'F3' | 'F4' | 'F5' | 'F6' | 'F7'
  /** What would falsify the claim. */
  readonly statement: string
  readonly verdict: Verdict
  /** Why, in one sentence made from the numbers. */
  readonly reason: string
  /** The numbers the verdict rests on. */
  readonly evidence: Readonly<Record<string, number>>
}

interface Finding {
  readonly verdict: Verdict
  readonly reason: string
  readonly evidence: Readonly<Record<string, number>>
}

interface Context {
  readonly table: EvaluationTable
  readonly best: Readonly<Record<string, BestScale>>
  /** Of `tableResamples`. */
  readonly resamples: Resamples
}

/**
 * The seven falsifiers F1–F7 that were fixed before any run: each looks at the arms at their own best scales, found on
 * separate noise, except F5, which looks at every scale. "a beats b" means that the 95% interval of the paired mean
 * difference lies above 0 and a wins more than half of the pairs; an interval that includes 0 counts against the claim.
 * An arm that was not sampled makes a falsifier inconclusive.
 *
 * @param best of `bestScales` on a table from other noises
 * Errors as `compareCells`.
 */
export function falsifiers(context: Context): Falsifier[] {
  return [
    { id: 'F1', statement: 'base/NPO does not beat base/base.', ...mustBeat(context, ARMS.npo, ARMS.base) },
    { id: 'F2', statement: 'DPO/merged does not beat DPO/DPO.', ...mustBeat(context, ARMS.merged, ARMS.dpo) },
    {
      id: 'F3',
      statement: 'base/NPO does not beat base/(−η): NPO would only be extrapolation of η.',
      ...mustBeat(context, ARMS.npo, ARMS.extrapolation),
    },
    {
      id: 'F4',
      statement: 'A random δ of equal norm does as well: the gain would not be about preference.',
      ...mustBeat(context, ARMS.npo, ARMS.random),
    },
    {
      id: 'F5',
      statement: 'Unmerged is at least as good as merged at every scale: merging would be unnecessary.',
      ...merging(context),
    },
    {
      id: 'F6',
      statement: 'The labelling reward gains but the judge does not, or class accuracy falls: reward hacking.',
      ...rewardHacking(context),
    },
    { id: 'F7', statement: 'An effect is smaller than its spread over training seeds.', ...seedSpread(context) },
  ]
}

function mustBeat(context: Context, a: string, b: string): Finding {
  const missing = unsampled(context, a, b)
  if (missing) return missing
  const [at, bt] = [bestCell(context, a), bestCell(context, b)]
  const result = compareBest(context, a, b, 'judge')
  const beats = isGain(result) && result.winRate.mean > 0.5
  const { low, high } = result.difference
  const why = beats
    ? 'above 0 and more than half of the pairs won'
    : low > 0
      ? 'above 0, but no more than half of the pairs won'
      : high < 0
        ? 'below 0'
        : 'which includes 0'
  return {
    verdict: beats ? 'survives' : 'falsified',
    reason:
      `${armLabel(a)} at scale ${at.scale} against ${armLabel(b)} at scale ${bt.scale}: ` +
      `difference ${span(result)}, ${why}.`,
    evidence: { ...numbers('', result), scaleA: at.scale, scaleB: bt.scale },
  }
}

function merging(context: Context): Finding {
  const missing = unsampled(context, ARMS.merged, ARMS.unmerged)
  if (missing) return missing
  const rows = context.table.scales.map((scale) => ({
    scale,
    result: compareCells(context.table, { arm: ARMS.merged, scale }, { arm: ARMS.unmerged, scale }, { resamples: context.resamples }),
  }))
  const better = rows.filter(({ result }) => isGain(result))
  const ahead = rows.filter(({ result }) => result.difference.mean > 0)
  return {
    verdict: better.length > 0 ? 'survives' : ahead.length === 0 ? 'falsified' : 'inconclusive',
    reason:
      better.length > 0
        ? `merged is better with its interval above 0 at ${better.length} of ${rows.length} scales.`
        : `merged is ahead at ${ahead.length} of ${rows.length} scales, at none with its interval above 0.`,
    evidence: Object.fromEntries(rows.map(({ scale, result }) => [`differenceAt${scale}`, result.difference.mean])),
  }
}

function rewardHacking(context: Context): Finding {
  const pairs = treatedPairs(context)
  if (pairs.length === 0) return unsampled(context, ARMS.npo, ARMS.base) ?? nothing('no pair of arms to look at.')
  const found = pairs.map(([a, b]) => {
    const reward = compareBest(context, a, b, 'reward')
    const judge = compareBest(context, a, b, 'judge')
    const correct = compareBest(context, a, b, 'correct')
    const hacked = (isGain(reward) && !isGain(judge)) || correct.difference.high < 0
    const prefix = `${a}: `
    const evidence = {
      ...numbers(`${prefix}reward `, reward),
      ...numbers(`${prefix}judge `, judge),
      ...numbers(`${prefix}accuracy `, correct),
    }
    return { a, b, hacked, gained: isGain(judge), reward, judge, correct, evidence }
  })
  // `numbers` gives records of numbers, which Object.assign forgets.
  const evidence = Object.assign({}, ...found.map((one) => one.evidence)) as Record<string, number>
  const reason = found
    .map(
      ({ a, b, reward, judge, correct }) =>
        `${armLabel(a)} against ${armLabel(b)}: ` +
        `reward ${span(reward)}, judge ${span(judge)}, accuracy ${span(correct)}`,
    )
    .join('; ')
  const verdict = found.some(({ hacked }) => hacked)
    ? 'falsified'
    : found.some(({ gained }) => gained)
      ? 'survives'
      : 'inconclusive'
  return { verdict, reason: `${reason}.`, evidence }
}

function seedSpread(context: Context): Finding {
  const pairs = treatedPairs(context)
  const seeds = context.table.seeds.length
  if (pairs.length === 0) return unsampled(context, ARMS.npo, ARMS.base) ?? nothing('no pair of arms to look at.')
  if (seeds < 2) return { ...nothing('one training seed has no spread; run more seeds.'), evidence: { seeds } }
  const found = pairs.map(([a, b]) => {
    const bySeed = differenceBySeed(context.table, bestCell(context, a), bestCell(context, b))
    const mean = bySeed.reduce((sum, d) => sum + d, 0) / seeds
    return { a, b, mean, spread: standardDeviation(bySeed) }
  })
  const effects = found.map(
    ({ a, b, mean, spread }) => `${armLabel(a)} − ${armLabel(b)}: ${signed(mean)} ± ${spread.toFixed(4)}`,
  )
  const drowned = found.filter(({ mean, spread }) => Math.abs(mean) < spread)
  return {
    verdict: drowned.length > 0 ? 'falsified' : 'survives',
    reason: `${effects.join('; ')} (± is the standard deviation over ${seeds} seeds).`,
    evidence: Object.assign(
      { seeds },
      ...found.map(({ a, mean, spread }) => ({ [`${a}: effect`]: mean, [`${a}: spread`]: spread })),
    ) as Record<string, number>, // every part is a record of numbers
  }
}

/** The two comparisons that the claim is about, as far as they were sampled. */
function treatedPairs(context: Context): [string, string][] {
  const pairs: [string, string][] = [
    [ARMS.npo, ARMS.base],
    [ARMS.merged, ARMS.dpo],
  ]
  return pairs.filter(([a, b]) => unsampled(context, a, b) === undefined)
}

function unsampled({ table, best }: Context, ...arms: string[]): Finding | undefined {
  const missing = arms.filter((arm) => findArm(table, arm) === undefined || best[arm] === undefined)
  return missing.length === 0
    ? undefined
    : nothing(`${missing.map(armLabel).join(' and ')} ${missing.length === 1 ? 'was' : 'were'} not sampled.`)
}

const nothing = (reason: string): Finding => ({ verdict: 'inconclusive', reason, evidence: {} })

function bestCell({ best }: Context, arm: string): Cell {
  return { arm, scale: best[arm]!.scale }
}

function compareBest(context: Context, a: string, b: string, metric: Metric): PairedResult {
  return compareCells(context.table, bestCell(context, a), bestCell(context, b), {
    metric,
    resamples: context.resamples,
  })
}

const isGain = (result: PairedResult): boolean => result.difference.low > 0

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`

const span = ({ difference }: PairedResult): string =>
  `${signed(difference.mean)} [${signed(difference.low)}, ${signed(difference.high)}]`

function numbers(prefix: string, { difference, winRate, count }: PairedResult): Record<string, number> {
  return {
    [`${prefix}difference`]: difference.mean,
    [`${prefix}low`]: difference.low,
    [`${prefix}high`]: difference.high,
    [`${prefix}winRate`]: winRate.mean,
    [`${prefix}count`]: count,
  }
}
