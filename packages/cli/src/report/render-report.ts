import { html, page } from '@antipode/report'
import type { ReportData } from './report-data.ts'
import { armTable, claims, judge, machinery, opening, results, samples, training } from './sections.ts'
import { headline } from './wording.ts'

/**
 * `report.html`: one page with no script and nothing to fetch. Charts are inline SVG, samples are PNG data URIs, and
 * every sentence about the outcome is made from the numbers in `data`.
 */
export function renderReport(data: ReportData): string {
  return page({
    title: `Antipode report: ${headline(data)}`,
    generator: `antipode ${data.version}`,
    main: html`${opening(data)} ${samples(data)} ${results(data)} ${claims(data)} ${armTable(data)} ${judge(data)}
      ${training(data)} ${machinery(data)}
      <footer class="byline">
        Antipode ${data.version}. The numbers behind this page are in <code>report.json</code> beside it.
      </footer>`,
  })
}
