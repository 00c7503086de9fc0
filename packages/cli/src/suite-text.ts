import { percent } from './report/index.ts'
import { formLabels, type MapRow, type SuiteResult, tallyOf } from './suite/index.ts'

/** What `antipode demo --suite` prints for people: each negative against guidance away from η, and where the page is. */
export function suiteText({ report, data, results: { rows } }: SuiteResult): string {
  const { better, worse, total } = tallyOf(rows, 'reversed')
  return [
    'Negatives against guidance away from η, each at its own best scale, from the same noises',
    ...rows.map((row) => {
      const { winRate: { mean, low, high } } = row.reversed
      return `  ${nameOf(row).padEnd(36)} wins ${percent(mean)}% (95%: ${percent(low)}% to ${percent(high)}%)`
    }),
    '',
    `By the paired difference ${better} of ${total} are better, ${worse} worse; the intervals of the others include none.`,
    '',
    `Page  ${report}`,
    `Data  ${data}`,
    '',
  ].join('\n')
}

function nameOf({ method, variant, form, weights, setting }: MapRow): string {
  return [method, formLabels[form], ...(variant ? [variant] : []), weights, setting].join(', ')
}
