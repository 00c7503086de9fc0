import { armLabel, ARMS, type Comparison, type Evaluation, type Verdict } from '@antipode/npo/evaluation'
import { gainSpan, percent, percentSpan, scaleText, signed } from './numbers.ts'
import type { ReportData } from './report-data.ts'

/** What an interval of a paired difference says. */
export type Outcome = 'better' | 'worse' | 'undecided'

/** Better or worse only if the whole 95% interval of the difference lies on that side of 0. */
export function outcome({ difference }: Pick<Comparison, 'difference'>): Outcome {
  if (difference.low > 0) return 'better'
  return difference.high < 0 ? 'worse' : 'undecided'
}

/** The pre-named comparison of two arms at their own best scales, if both were sampled. */
export function ownBestOf({ ownBest }: Evaluation, a: string, b: string): Comparison | undefined {
  return ownBest.find((row) => row.a === a && row.b === b)
}

/** One sentence for the top of the report. */
export function headline({ evaluation }: ReportData): string {
  const main = ownBestOf(evaluation, ARMS.npo, ARMS.base)
  if (main === undefined) return 'The main comparison was not sampled.'
  const against = ownBestOf(evaluation, ARMS.npo, ARMS.extrapolation)
  const first = {
    better: 'Guiding away from a model trained on negative preferences beats guiding away from the base',
    worse: 'Guiding away from a model trained on negative preferences does worse than guiding away from the base',
    undecided:
      'No difference shown between guiding away from a model trained on negative preferences and from the base',
  }[outcome(main)]
  if (against === undefined) return `${first}.`
  const joined = outcome(main) === 'better'
  const second = {
    better: joined ? 'and it beats the control that needs no negative training.' : 'though it beats the control −η.',
    worse: joined
      ? 'but the control that needs no negative training does better still.'
      : 'and the control −η does better.',
    undecided: joined
      ? 'but no better, as far as this run can tell, than the control that needs no negative training.'
      : 'nor from the control −η.',
  }[outcome(against)]
  return `${first}, ${second}`
}

/** Paragraphs of what was found, each made from the numbers. */
export function findings(data: ReportData): string[] {
  const { evaluation } = data
  return [
    gain(evaluation, ARMS.npo, ARMS.base),
    extrapolationShare(evaluation),
    gain(evaluation, ARMS.npo, ARMS.extrapolation),
    gain(evaluation, ARMS.random, ARMS.base),
    gain(evaluation, ARMS.merged, ARMS.dpo),
    equalScales(evaluation, ARMS.npo, ARMS.base),
    equalScales(evaluation, ARMS.merged, ARMS.dpo),
    falsifierCount(evaluation),
  ].filter((sentence) => sentence !== undefined)
}

function gain(evaluation: Evaluation, a: string, b: string): string | undefined {
  const row = ownBestOf(evaluation, a, b)
  if (row === undefined) return undefined
  const verb = { better: 'beats', worse: 'loses to', undecided: 'cannot be told from' }[outcome(row)]
  return (
    `At its own best scale ${armLabel(a)} (w = ${scaleText(row.scaleA)}) ${verb} ` +
    `${armLabel(b)} (w = ${scaleText(row.scaleB)}): ` +
    `it wins ${percentSpan(row.winRate)} of ${row.count} pairs, judge difference ${gainSpan(row.difference)}.`
  )
}

function extrapolationShare(evaluation: Evaluation): string | undefined {
  const npo = ownBestOf(evaluation, ARMS.npo, ARMS.base)
  const control = ownBestOf(evaluation, ARMS.extrapolation, ARMS.base)
  // A share of a gain that is not there would be a meaningless number.
  if (npo === undefined || control === undefined || outcome(npo) !== 'better') return undefined
  const name = armLabel(ARMS.extrapolation)
  const share = control.difference.mean / npo.difference.mean
  if (share <= 0) return `The control ${name}, which needs no negative training, reproduces none of that gain.`
  if (share >= 1) {
    return (
      `The control ${name}, which needs no negative training, gains at least as much over the base ` +
      `(${signed(control.difference.mean)} against ${signed(npo.difference.mean)}).`
    )
  }
  return `The control ${name}, which needs no negative training, reproduces ${percent(share, 0)}% of that gain.`
}

/** At which equal scales one arm wins or loses. */
function equalScales({ equalScale }: Evaluation, a: string, b: string): string | undefined {
  const rows = equalScale.filter((row) => row.a === a && row.b === b)
  if (rows.length === 0) return undefined
  const at = (wanted: Outcome): string => {
    const scales = rows.filter((row) => outcome(row) === wanted).map((row) => scaleText(row.scaleA))
    return scales.length === 0 ? 'none' : scales.join(', ')
  }
  return (
    `At equal scales ${armLabel(a)} is better than ${armLabel(b)} at w = ${at('better')}; ` +
    `worse at ${at('worse')}; undecided at ${at('undecided')}.`
  )
}

function falsifierCount({ falsifiers }: Evaluation): string {
  const named = (wanted: Verdict): string => {
    const ids = falsifiers.filter(({ verdict }) => verdict === wanted).map(({ id }) => id)
    return ids.length === 0 ? 'none' : ids.join(', ')
  }
  return (
    `Of the falsifiers fixed in advance the claim survives ${named('survives')}; falsified by ${named('falsified')}; ` +
    `inconclusive: ${named('inconclusive')}.`
  )
}

/** What a reader must know before believing the numbers. */
export function caveats(data: ReportData): string[] {
  const { evaluation } = data
  const { seeds, best } = evaluation
  const edge = Object.entries(best).filter(([, { interior }]) => !interior)
  const pairs = evaluation.cells[0]?.count ?? 0
  const list = [
    `${seeds.length} training ${seeds.length === 1 ? 'seed' : 'seeds'} and ${pairs} pairs a seed: ` +
      (seeds.length < 4
        ? 'the intervals say little about other training runs.'
        : 'intervals resample seeds, then pairs.'),
    'One small model, one data set, one reward made by us; nothing here speaks for photographs or for people.',
  ]
  if (edge.length > 0) {
    const names = edge.map(([arm, { scale }]) => `${armLabel(arm)} (w = ${scaleText(scale)})`).join(', ')
    list.push(`Best scale at the edge of the grid for ${names}: the true optimum may lie outside.`)
  }
  return list
}

/** Whether the judge passes its own test: an optimum inside the grid for base/base. */
export function judgeOptimum({ evaluation }: ReportData): string {
  const points = evaluation.curves.find(({ arm, metric }) => arm === ARMS.base && metric === 'judge')?.points ?? []
  const top = points.reduce<(typeof points)[number] | undefined>((a, b) => (a && a.mean >= b.mean ? a : b), undefined)
  const [first, last] = [points[0], points.at(-1)]
  if (top === undefined || first === undefined || last === undefined) return 'The judge was not tried on base/base.'
  if (top === first || top === last) {
    return (
      `On ${ARMS.base} the judge is highest at w = ${scaleText(top.scale)}, the edge of the grid: an ` +
      'interior optimum is not shown, and best scales must be read with care.'
    )
  }
  const clear = top.low > first.high && top.low > last.high
  return (
    `On ${ARMS.base} the judge rises from ${signed(first.mean)} at w = ${scaleText(first.scale)} to ` +
    `${signed(top.mean)} at w = ${scaleText(top.scale)} and falls to ${signed(last.mean)} at ` +
    `w = ${scaleText(last.scale)}: ` +
    'an interior optimum' +
    (clear ? ', clear of both ends by more than the intervals.' : ', though the intervals overlap with an end.')
  )
}
