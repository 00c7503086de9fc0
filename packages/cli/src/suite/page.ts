import { html, type Markup, page } from '@antipode/report'
import {
  type Against, answer, armTable, caveats, choiceTable, findings, forests, headline, type MapChart, marksInWords, pilot, question, rowTable, scatters,
  termsInWords, type Table, tallyTable, variantTable,
} from './map/index.ts'
import type { SuiteResults } from './results.ts'

/** `map.html`: one page with no script and nothing to fetch; every sentence about the outcome is made from the results. */
export function suitePage(results: SuiteResults): string {
  const { version, adapter, base, recipe } = results
  return page({
    title: `Antipode map: ${headline(results)}`,
    generator: `antipode ${version}`,
    style: 'th.n { white-space: normal; min-width: 6.5em }',
    main: html`<header>
        <div class="kicker">Where negatives help</div>
        <h1>${headline(results)}</h1>
        <p class="byline">
          <code>antipode demo --suite</code> · ${recipe.seeds.length} seeds · ${adapter}
        </p>
      </header>
      <p>${question}</p>
      <p>${termsInWords}</p>
      <h2>The answer</h2>
      <p>${answer(results)}</p>
      <ul class="findings">
        ${findings(results).map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
      ${tableOf(tallyTable(results))}
      <h3>Before you believe it</h3>
      <ul class="findings">
        ${caveats(results).map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
      <h2>Every negative against −η</h2>
      ${forestCharts(results, 'reversed')}
      <h2>How far δ departs from −η</h2>
      <p>${pilot}</p>
      ${scatterCharts(results, 'reversed')}
      <h2>One thing changed of δ</h2>
      ${tableOf(variantTable(results))}
      <h2>Against no negative at all</h2>
      ${scatterCharts(results, 'plain')}
      <details>
        <summary>Every negative against none</summary>
        ${forestCharts(results, 'plain')}
      </details>
      <h2>All comparisons</h2>
      ${tableOf(rowTable(results, ['reversed', 'plain']))}
      <h2>How long each trains</h2>
      ${tableOf(choiceTable(results))}
      <details>
        <summary>All arms (${results.arms.length} rows)</summary>
        ${tableOf(armTable(results))}
      </details>
      <h2>Recipe</h2>
      ${recipeList({ base, ...recipe })}
      <footer class="byline">
        Antipode ${version}. The numbers behind this page are in <code>map.json</code> beside it.
      </footer>`,
  })
}

function chartGroup(columns: 'pair' | 'trio', charts: readonly MapChart[], note: string): Markup {
  return html`<div class="${columns}">
      ${charts.map(({ title, chart }) => html`<figure>
        <h3>${title}</h3>
        ${chart}
      </figure>`)}
    </div>
    <p class="note">${note}</p>`
}

function forestCharts(results: SuiteResults, against: Against): Markup {
  return chartGroup('pair', forests(results, against), 'Mean paired difference with its 95% interval, grey where it includes no difference. Axes differ between charts.')
}

function scatterCharts(results: SuiteResults, against: Against): Markup {
  return chartGroup('trio', scatters(results, against), marksInWords)
}

function tableOf({ head, words, rows }: Table): Markup {
  const numeric = (column: number): string => (column < words ? 't' : 'n')
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${head.map((name, i) => html`<th class="${numeric(i)}">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((cells) => html`<tr>
          ${cells.map(({ text, outcome = '' }, i) => html`<td class="${numeric(i)} ${outcome}">${text}</td>`)}
        </tr>`)}
      </tbody>
    </table>
  </div>`
}

/** All settings of the recipe, nested ones by their path. */
function recipeList(recipe: object): Markup {
  return html`<dl>
    ${settingsOf(recipe).map(([name, value]) => html`<dt>${name}</dt>
      <dd>${value}</dd>`)}
  </dl>`
}

function settingsOf(recipe: object, path = ''): [name: string, value: string][] {
  return Object.entries(recipe).flatMap(([name, value]: [string, unknown]) => {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value)
    return nested ? settingsOf(value, `${path}${name}.`) : [[path + name, Array.isArray(value) ? value.join(', ') : String(value)]]
  })
}
