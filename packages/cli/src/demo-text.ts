import { armLabel } from '@antipode/npo/evaluation'
import type { DemoResult } from './demo/index.ts'
import { percent } from './report/index.ts'

/** What `antipode demo` prints for people: the comparisons at best scales, the falsifiers, and where the report is. */
export function demoText({ report, data, summary }: DemoResult): string {
  const arm = (id: string, scale: number): string => `${armLabel(id)} at scale ${scale}`
  const comparisons = summary.ownBest.map(({ a, b, scaleA, scaleB, winRate }) =>
    `  ${arm(a, scaleA)} wins ${percent(winRate.mean)}% (95%: ${percent(winRate.low)}% to ${percent(winRate.high)}%) against ${arm(b, scaleB)}`)
  const falsifiers = summary.falsifiers.map(({ id, verdict, reason }) => `  ${id} ${verdict.padEnd(12)}  ${reason}`)
  return [
    'Each arm at its own best guidance scale, from the same noises',
    ...comparisons,
    '',
    'What could have falsified the claim',
    ...falsifiers,
    '',
    `Report  ${report}`,
    `Data    ${data}`,
    '',
  ].join('\n')
}
