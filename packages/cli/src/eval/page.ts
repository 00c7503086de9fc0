import type { ArmComparison } from '@antipode/npo/evaluation'
import type { Study, StudyArm } from '@antipode/npo/studies'
import { html, type Markup, page } from '@antipode/report'
import { armRows, comparisonTable, fixed, forest, scaleCurves, scaleText } from '../report/index.ts'

/** Everything in `evaluation.json`; the page is drawn from it and from nothing else. */
export interface EvalDocument {
  readonly version: string
  readonly study: Study
  readonly comparison: ArmComparison
}

/** `evaluation.html`: one page with no script and nothing to fetch. */
export function evalPage({ version, study, comparison }: EvalDocument): string {
  const { seeds, scales, items } = study
  const names = Object.keys(study.arms)
  return page({
    title: `Antipode evaluation: ${names.join(', ')}`,
    generator: `antipode ${version}`,
    main: html`<header>
        <div class="kicker">Evaluation</div>
        <h1>${names.length} arms, ${scales.length} guidance scales, ${seeds.length * items.evaluation} pairs each</h1>
        <p>
          Item i of a seed is one condition and one initial noise, the same for every arm, so arms are compared in
          pairs. Each arm’s best scale is chosen on other noises (${seeds.length * items.selection} of them).
          Intervals are 95%, by the bootstrap over ${study.clusters === 'item' ? 'items' : 'seeds'}, and, as if
          pairs were independent, Wilson’s; ties count half.
        </p>
      </header>
      ${armTable(study, comparison)} ${curves(names, comparison)}
      <h2>Each arm at its own best scale</h2>
      <figure>
        ${forest(armRows(comparison.ownBest), { title: 'Paired differences of judge score', width: 1000 })}
        <figcaption>Mean paired difference with its interval. Grey where it includes no difference.</figcaption>
      </figure>
      ${comparisonTable(comparison.ownBest)}
      <h2>Arms at equal scales</h2>
      ${comparisonTable(comparison.equalScale)}
      <footer class="byline">
        Antipode ${version}. The numbers behind this page are in <code>evaluation.json</code> beside it.
      </footer>`,
  })
}

function armTable({ arms }: Study, comparison: ArmComparison): Markup {
  const metrics = metricsOf(comparison)
  const at = (arm: string, metric: string): string => {
    const points = comparison.curves.find((one) => one.arm === arm && one.metric === metric)?.points ?? []
    const point = points.find(({ scale }) => scale === comparison.best[arm]?.scale)
    return point === undefined ? '–' : `${fixed(point.mean, 4)} [${fixed(point.low, 4)}, ${fixed(point.high, 4)}]`
  }
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Arm</th>
          <th>Guides towards</th>
          <th>Guides away from</th>
          <th class="n">Best w</th>
          ${metrics.map((metric) => html`<th class="n">${metric} there [95%]</th>`)}
        </tr>
      </thead>
      <tbody>
        ${Object.entries(arms).map(([id, arm]) => {
          const best = comparison.best[id]
          return html`<tr>
            <td class="t">${id}</td>
            <td>${branch(arm.positive)}</td>
            <td>${branch(arm.negative)}</td>
            <td class="n">${best === undefined ? '–' : `${scaleText(best.scale)}${best.interior ? '' : ', an end of the grid'}`}</td>
            ${metrics.map((metric) => html`<td class="n">${at(id, metric)}</td>`)}
          </tr>`
        })}
      </tbody>
    </table>
  </div>`
}

function curves(names: readonly string[], comparison: ArmComparison): Markup {
  const arms = names.map((id) => ({ id }))
  return html`<h2>Scores against guidance scale</h2>
    ${metricsOf(comparison).map(
      (metric) =>
        html`<figure>
          <h3>${metric}</h3>
          ${scaleCurves(comparison, { arms, metric, title: `${metric} against guidance scale`, width: 1000, height: metric === 'judge' ? 430 : 300 })}
          <figcaption>Means over all items with 95% intervals; a ring at each arm’s best scale.</figcaption>
        </figure>`,
    )}`
}

/** Metrics, the judge first. */
function metricsOf({ curves: all }: ArmComparison): string[] {
  const names = [...new Set(all.map(({ metric }) => metric))]
  return ['judge', ...names.filter((name) => name !== 'judge')]
}

/** Weights on a branch in words. */
function branch(weights: StudyArm['positive'] = {}): string {
  const terms = Object.entries(weights).map(([name, weight]) => `${weight < 0 ? '−' : '+'} ${Math.abs(weight) === 1 ? '' : `${Math.abs(weight)}·`}${name}`)
  return ['θ', ...terms].join(' ')
}
