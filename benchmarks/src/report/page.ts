import { html, type Markup, page } from '@antipode/report'
import type { Results } from '../results.ts'
import { dotChart } from './charts.ts'
import { type Clock, firstResults, measurementOf, onSoftware, ratioOf, split, summaries } from './facts.ts'
import { digits } from './format.ts'
import { provenance } from './markdown.ts'
import { problems, type Table, tables } from './tables.ts'

/** Libraries that a first page compares with: those whose results here come from WebGPU. numpy has the tables. */
const charted = ({ libraries }: Results): string[] => libraries.map(({ name }) => name).filter((name) => name !== 'numpy')

function card({ label, value, detail }: Readonly<Record<'label' | 'value' | 'detail', string>>): Markup {
  return html`<div class="card"><div class="label">${label}</div><div class="value">${value}<small>×</small></div><div class="detail">${detail}</div></div>`
}

function cards(results: Results): Markup {
  const first = results.libraries[0]?.name ?? ''
  return html`<div class="cards">${summaries(results).map(({ library, wall, cpu, workloads, ahead }) => card({
    label: library, value: digits(wall),
    detail: `as long as ${first}, geometric mean over ${workloads} workloads; by CPU time ${digits(cpu)}×; faster in ${ahead}`,
  }))}</div>`
}

/** Ratios as dots: one line for each group of workloads would be too many charts, so all stand in one. */
function ratioChart(results: Results, clock: Clock): Markup {
  const first = results.libraries[0]?.name ?? ''
  const { shared } = split(results)
  const libraries = charted(results).slice(1)
  const title = `Times as long as ${first}${clock === 'cpu' ? ', by CPU time' : ''}`
  return figure(title, `Median over rounds, and their range. Left of the line a library is faster than ${first}.`, dotChart({
    title, rows: shared.map((c) => c.title), libraries, page: charted(results), axis: `${clock === 'wall' ? 'wall clock' : 'CPU time'} over that of ${first}`, reference: 1,
    markOf(row, library) {
      const spread = shared[row] && ratioOf(shared[row], first, libraries[library] ?? '', clock)
      return spread && spread.min > 0 ? { at: spread.median, from: spread.min, to: spread.max } : undefined
    },
  }))
}

function firstResultChart(results: Results): Markup {
  const comparisons = firstResults(results)
  const libraries = charted(results)
  const title = 'Milliseconds to the first result'
  return figure(title, 'In a fresh process: the dot with no compiled shaders, the other end of its line with all of them on disk.', dotChart({
    title, rows: comparisons.map((c) => c.title), libraries, page: libraries, axis: 'milliseconds',
    markOf(row, library) {
      const { cold, warm } = (comparisons[row] && measurementOf(comparisons[row], libraries[library] ?? '')) ?? {}
      return warm === undefined ? undefined : { at: cold ?? warm, from: warm, to: cold ?? warm }
    },
  }))
}

function figure(title: string, caption: string, chart: Markup): Markup {
  return html`<figure><h3>${title}</h3>${chart}<figcaption>${caption}</figcaption></figure>`
}

function table({ heading, prose, columns, rows }: Table): Markup {
  return html`<h2>${heading}</h2><p>${prose}</p><div class="scroll"><table>
<thead><tr>${columns.map((c, i) => (i === 0 ? html`<th>${c}</th>` : html`<th class="n">${c}</th>`))}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<td class="t">${cell}</td>` : html`<td class="n">${cell}</td>`))}</tr>`)}</tbody>
</table></div>`
}

/** results.html: one page with no script and nothing to fetch. */
export function renderPage(results: Results): string {
  const first = results.libraries[0]?.name ?? ''
  const lines = problems(results)
  const compares = split(results).shared.length > 0 && charted(results).length > 1
  return page({
    title: 'Benchmarks of Antipode',
    style: 'main { max-width: 1280px }',
    main: html`<header><div class="kicker">Benchmarks</div><h1>How long other libraries take for what ${first} does</h1>
${provenance(results).map((text) => html`<p class="note">${text}</p>`)}</header>
${cards(results)}
${compares ? ratioChart(results, 'wall') : ''}
${compares && onSoftware(results) ? ratioChart(results, 'cpu') : ''}
${firstResults(results).length > 0 ? firstResultChart(results) : ''}
${tables(results).map(table)}
${lines.length > 0 ? html`<h2>Not measured, or not wholly</h2><ul class="findings">${lines.map((text) => html`<li>${text}</li>`)}</ul>` : ''}
<footer class="byline">The numbers behind this page are in results.json beside it.</footer>`,
  })
}
