import { armLabel, ARMS, type Evaluation } from '@antipode/npo/evaluation'
import { html, type Markup } from '@antipode/report'
import { comparisonTable } from './comparison-table.ts'
import { equalScaleWins, scaleCurves, trainingCurves } from './charts.ts'
import { armRows, forest } from './forest.ts'
import { byteSize, duration, fixed, percent, scaleText, signed } from './numbers.ts'
import type { GridReport, ReportData } from './report-data.ts'
import { caveats, findings, headline, judgeOptimum, outcome, ownBestOf } from './wording.ts'

/** Title, one-sentence answer, the numbers it rests on, and what to doubt. */
export function opening(data: ReportData): Markup {
  const { evaluation, adapter } = data
  const total = data.timings.reduce((sum, { seconds }) => sum + seconds, 0)
  const cards = [
    ['Does a negative model help?', ARMS.npo, ARMS.base],
    ['Is it more than a reversal of η?', ARMS.npo, ARMS.extrapolation],
    ['Does it help on top of DPO?', ARMS.merged, ARMS.dpo],
  ] as const
  return html`<header>
      <div class="kicker">Negative preference optimisation on handwritten digits</div>
      <h1>${headline(data)}</h1>
      <p class="byline">
        <code>${data.command}</code> · ${data.createdAt.slice(0, 16).replace('T', ' ')} UTC · ${duration(total)} on
        ${adapter.description}${adapter.software ? ' (software)' : ''}
      </p>
    </header>
    <div class="cards">${cards.map(([question, a, b]) => card(evaluation, question, a, b))}</div>
    <ul class="findings">
      ${findings(data).map((sentence) => html`<li>${sentence}</li>`)}
    </ul>
    <h3>Before you believe it</h3>
    <ul class="findings">
      ${caveats(data).map((sentence) => html`<li>${sentence}</li>`)}
    </ul>`
}

function card(evaluation: Evaluation, question: string, a: string, b: string): Markup {
  const row = ownBestOf(evaluation, a, b)
  if (row === undefined) {
    return html`<div class="card">
      <div class="label">${question}</div>
      <div class="value undecided">–</div>
      <div class="detail">${armLabel(a)} or ${armLabel(b)} was not sampled.</div>
    </div>`
  }
  return html`<div class="card">
    <div class="label">${question}</div>
    <div class="value ${outcome(row)}">${percent(row.winRate.mean)}<small>% won</small></div>
    <div class="detail">
      95% interval ${percent(row.winRate.low)} to ${percent(row.winRate.high)}; judge ${signed(row.difference.mean)}
      <br />
      ${armLabel(a)} against ${armLabel(b)}, each at its best scale
    </div>
  </div>`
}

/** Samples of every arm from the same noises. */
export function samples({ grids }: ReportData): Markup {
  if (grids.length === 0) return html``
  return html`<h2>The same noise, each arm</h2>
    <p>A row starts from one noise and one digit to draw; only the weights that guide differ between its columns.</p>
    <div class="pair">${grids.map(grid)}</div>`
}

function grid({ title, caption, columns, rows, image }: GridReport): Markup {
  return html`<figure>
    <h3>${title}</h3>
    <div class="grid">
      <div class="columns" style="grid-template-columns: repeat(${columns.length}, 1fr)">
        ${columns.map((column) => html`<div>${breakable(column.title)}<span>${column.subtitle}</span></div>`)}
      </div>
      <div class="rows" style="grid-template-rows: repeat(${rows.length}, 1fr)">
        ${rows.map((row) => html`<div>${row}</div>`)}
      </div>
      <img src="${image}" alt="${title}: ${rows.length} rows of ${columns.length} samples" />
    </div>
    <figcaption>${caption}</figcaption>
  </figure>`
}

/** Lets a name break after a slash, where columns are narrow. */
function breakable(name: string): Markup {
  const [first = '', ...rest] = name.split('/')
  return rest.reduce((text, part) => html`${text}/<wbr />${part}`, html`${first}`)
}

/** Curves against guidance scale, and the paired comparisons drawn. */
export function results(data: ReportData): Markup {
  const { evaluation, arms } = data
  const chart = { arms, width: 1000, height: 430 }
  const small = { arms, width: 500, height: 340 }
  const pairs = [[ARMS.npo, ARMS.base] as const, [ARMS.merged, ARMS.dpo] as const].filter(([a, b]) =>
    evaluation.equalScale.some((row) => row.a === a && row.b === b),
  )
  return html`<h2>Score against guidance scale</h2>
    <p>
      Guidance from a negative model acts partly as extra guidance, so arms must be compared at their own best scales,
      not only at equal ones. Rings mark each arm’s best scale, chosen on noises that were used for nothing else.
    </p>
    <figure>
      <h3>Judge score, higher is better</h3>
      ${scaleCurves(evaluation, { ...chart, metric: 'judge', title: 'Judge score against guidance scale' })}
      <figcaption>Means over all samples; bands are 95% bootstrap intervals over seeds, then pairs.</figcaption>
    </figure>
    <div class="pair">
      <figure>
        <h3>Labelling reward</h3>
        ${scaleCurves(evaluation, { ...small, metric: 'reward', title: 'Labelling reward against guidance scale' })}
        <figcaption>What the pairs were labelled by. A gain here without one above would be reward hacking.</figcaption>
      </figure>
      <figure>
        <h3>Class accuracy</h3>
        ${scaleCurves(evaluation, { ...small, metric: 'correct', title: 'Class accuracy against guidance scale' })}
        <figcaption>Share of samples that the classifier reads as the digit asked for.</figcaption>
      </figure>
    </div>
    <h2>Paired comparisons</h2>
    <figure>
      <h3>Each arm at its own best scale</h3>
      ${forest(armRows(evaluation.ownBest), { title: 'Paired differences of judge score', width: 1000 })}
      <figcaption>
        Mean paired difference with its 95% interval. Grey where the interval includes no difference.
      </figcaption>
    </figure>
    ${comparisonTable(evaluation.ownBest)}
    ${
      pairs.length === 0
        ? html``
        : html`<figure>
            <h3>Share of pairs won at equal scales</h3>
            ${equalScaleWins(evaluation, pairs, { title: 'Win rate at equal guidance scales', width: 1000, height: 340 })}
            <figcaption>Ties count half; the line is even odds.</figcaption>
          </figure>`
    }
    <details>
      <summary>All comparisons at equal scales (${evaluation.equalScale.length} rows)</summary>
      ${comparisonTable(evaluation.equalScale)}
    </details>`
}

/** The falsifiers as they fell out. */
export function claims({ evaluation }: ReportData): Markup {
  return html`<h2>What could have falsified the claim</h2>
    <p>Fixed before any run. “Falsified” means that the statement came true.</p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th></th>
            <th>Would falsify</th>
            <th>Claim</th>
            <th>Found</th>
          </tr>
        </thead>
        <tbody>
          ${evaluation.falsifiers.map(
            ({ id, statement, verdict, reason }) =>
              html`<tr>
                <td class="t">${id}</td>
                <td style="min-width: 15em">${statement}</td>
                <td class="t"><span class="verdict ${verdict}">${verdict}</span></td>
                <td style="min-width: 22em">${reason}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

/** Who judges, and the judge's own test. */
export function judge(data: ReportData): Markup {
  const { arms, evaluation } = data
  const base = arms.filter(({ id }) => id === ARMS.base)
  return html`<h2>The judge</h2>
    <p>${judgeOptimum(data)}</p>
    <div class="pair">
      <figure>
        <h3>Judge on base/base: ordinary guidance, nothing trained</h3>
        ${scaleCurves(evaluation, {
          arms: base,
          metric: 'judge',
          title: 'Judge score of base/base',
          width: 500,
          height: 300,
        })}
        <figcaption>A judge that over-guidance could fool would keep rising to the right.</figcaption>
      </figure>
      <div>
        <h3>Judge</h3>
        <p class="note">${data.judge.definition}</p>
        <p class="note">
          Its classifier reads ${percent(data.judge.classifierAccuracy)}% of digits that it was not trained on.
        </p>
        <h3>Labelling reward</h3>
        <p class="note">${data.judge.labeller}</p>
      </div>
    </div>`
}

/** Arms, their weights and looks. */
export function armTable({ arms, evaluation, appearance, offsets }: ReportData): Markup {
  const at = (id: string, metric: string): string => {
    const points = evaluation.curves.find((one) => one.arm === id && one.metric === metric)?.points ?? []
    const point = points.find(({ scale }) => scale === evaluation.best[id]?.scale)
    if (point === undefined) return '–'
    return metric === 'correct' ? `${percent(point.mean)}%` : fixed(point.mean, 4)
  }
  return html`<h2>Arms</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Arm</th>
            <th>Guides towards</th>
            <th>Guides away from</th>
            <th></th>
            <th class="n">Best w</th>
            <th class="n">Judge</th>
            <th class="n">Reward</th>
            <th class="n">Accuracy</th>
            <th class="n">Full ink</th>
            <th class="n">Diversity</th>
          </tr>
        </thead>
        <tbody>
          ${arms.map(({ id, positive, negative, role }) => {
            const look = appearance.find(({ arm }) => arm === id)
            const best = evaluation.best[id]
            return html`<tr>
              <td class="t">${armLabel(id)}</td>
              <td>${positive}</td>
              <td>${negative}</td>
              <td class="t">${role === 'control' ? 'control' : ''}</td>
              <td class="n">${best === undefined ? '–' : scaleText(best.scale)}</td>
              <td class="n">${at(id, 'judge')}</td>
              <td class="n">${at(id, 'reward')}</td>
              <td class="n">${at(id, 'correct')}</td>
              <td class="n">${look === undefined ? '–' : `${percent(look.saturatedShare)}%`}</td>
              <td class="n">${look === undefined ? '–' : fixed(look.pixelDeviation, 3)}</td>
            </tr>`
          })}
        </tbody>
      </table>
    </div>
    <p class="note">
      Full ink: share of pixels at the end of the scale. Diversity: standard deviation of a pixel over samples of a
      class.
      ${offsets.map(
        ({ seed, cosine, etaNorm, deltaNorm }) =>
          `Seed ${seed}: cos(η, δ) = ${fixed(cosine, 3)}, |η| = ${fixed(etaNorm, 3)}, |δ| = ${fixed(deltaNorm, 3)}. `,
      )}
    </p>`
}

/** Training curves. */
export function training({ training: runs }: ReportData): Markup {
  if (runs.length === 0) return html``
  return html`<h2>Training</h2>
    ${runs.map(
      ({ title, charts }) =>
        html`<h3>${title}</h3>
          <div class="trio">
            ${charts.map(
              (chart) =>
                html`<figure>
                  <h3>${chart.title}</h3>
                  ${trainingCurves(chart, { run: title, width: 330, height: 200 })}
                </figure>`,
            )}
          </div>`,
    )}`
}

/** Where the time went, on what machine, by which recipe. */
export function machinery({ timings, adapter, memory, recipe, base }: ReportData): Markup {
  const total = timings.reduce((sum, { seconds }) => sum + seconds, 0)
  const role = (i: number): string => `var(--series${i % 7})`
  return html`<h2>Time, machine and recipe</h2>
    <div class="bar">
      ${timings.map(({ seconds }, i) => html`<i style="flex: ${seconds.toFixed(3)}; background: ${role(i)}"></i>`)}
    </div>
    <div class="scroll">
      <table>
        <tbody>
          ${timings.map(
            ({ phase, seconds }, i) =>
              html`<tr>
                <td><span class="swatch" style="background: ${role(i)}"></span>${phase}</td>
                <td class="n">${duration(seconds)}</td>
                <td class="n">${total > 0 ? `${percent(seconds / total, 0)}%` : '–'}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <div class="recipe">
      <div>
        <h3>Machine</h3>
        <dl>
          <dt>adapter</dt>
          <dd>${adapter.description}</dd>
          <dt>vendor</dt>
          <dd>${adapter.vendor}</dd>
          <dt>backend</dt>
          <dd>${adapter.backend}${adapter.software ? ', computed on the CPU' : ''}</dd>
          <dt>host</dt>
          <dd>${adapter.host}</dd>
          <dt>peak GPU memory</dt>
          <dd>${byteSize(memory.peakDeviceBytes)}</dd>
          <dt>peak process memory</dt>
          <dd>${byteSize(memory.peakProcessBytes)}</dd>
        </dl>
      </div>
      <div>
        <h3>Base checkpoint</h3>
        <dl>
          <dt>source</dt>
          <dd>${base.source}</dd>
          <dt>sha256</dt>
          <dd><code>${base.sha256}</code></dd>
        </dl>
      </div>
      ${recipe.map(
        ({ title, settings }) =>
          html`<div>
            <h3>${title}</h3>
            <dl>
              ${Object.entries(settings).map(
                ([name, value]) =>
                  html`<dt>${name}</dt>
                    <dd>${String(value)}</dd>`,
              )}
            </dl>
          </div>`,
      )}
    </div>`
}
