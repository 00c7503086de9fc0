import type { MapRow, SuiteResult } from './suite/index.ts'

/** What `antipode demo --suite` prints for people: each negative against guidance away from η, and where the page is. */
export function suiteText({ report, data, results: { rows } }: SuiteResult): string {
  const better = rows.filter(({ reversed: { difference } }) => difference.low > 0)
  const worse = rows.filter(({ reversed: { difference } }) => difference.high < 0)
  return [
    'Negatives against guidance away from η, each at its own best scale, from the same noises',
    ...rows.map((row) => {
      const { winRate: { mean, low, high } } = row.reversed
      return `  ${nameOf(row).padEnd(36)} wins ${percent(mean)} (95%: ${percent(low)} to ${percent(high)})`
    }),
    '',
    `By the paired difference ${better.length} of ${rows.length} are better, ${worse.length} worse; the intervals of the others include none.`,
    '',
    `Page  ${report}`,
    `Data  ${data}`,
    '',
  ].join('\n')
}

function nameOf({ method, variant, form, weights, setting }: MapRow): string {
  return [method, form === 'guided' ? 'through guidance' : 'by swap', ...(variant ? [variant] : []), weights, setting].join(', ')
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`
