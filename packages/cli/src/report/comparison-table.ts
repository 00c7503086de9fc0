import { armLabel, type Comparison } from '@antipode/npo/evaluation'
import { html, type Markup } from '@antipode/report'
import { gainSpan, percentSpan, pValueText, scaleText } from './numbers.ts'
import { outcome } from './wording.ts'

/** Paired comparisons, a row each. */
export function comparisonTable(rows: readonly Comparison[]): Markup {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>First</th>
          <th class="n">w</th>
          <th>Second</th>
          <th class="n">w</th>
          <th class="n">Pairs won [95%]</th>
          <th class="n">as if independent [95%]</th>
          <th class="n">Judge difference [95%]</th>
          <th class="n">p (Holm)</th>
          <th class="n">Pairs</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              <td class="t">${armLabel(row.a)}</td>
              <td class="n">${scaleText(row.scaleA)}</td>
              <td class="t">${armLabel(row.b)}</td>
              <td class="n">${scaleText(row.scaleB)}</td>
              <td class="n">${percentSpan(row.winRate)}</td>
              <td class="n">${percentSpan(row.wilson)}</td>
              <td class="n ${outcome(row)}">${gainSpan(row.difference)}</td>
              <td class="n">${pValueText(row.adjustedPValue)}</td>
              <td class="n">${row.count}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
