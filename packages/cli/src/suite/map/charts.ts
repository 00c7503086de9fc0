import { AXIS, drawChart, MARKERS, type Markup, type Role, TEXT } from '@antipode/report'
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts'
import { fixed, forest, rule, tickText } from '../../report/index.ts'
import type { MethodName } from '../recipe.ts'
import type { MapRow, SuiteResults } from '../results.ts'
import { type Against, grouped, methodLabels, settingLabels, spreadOf, variantLabel, weightsLabels } from './rows.ts'

/** A chart with the name of a file. */
export interface MapChart {
  readonly name: string
  readonly title: string
  readonly chart: Markup
}

/** Colour of each method. */
const roles: Readonly<Record<MethodName, Role>> = { dpo: 'series1', kto: 'series2', spo: 'series3', draft: 'series4', self: 'series5' }

const againstLabels: Readonly<Record<Against, string>> = { reversed: '−η', plain: 'no negative' }

/** Paired differences with their intervals, a chart for each method; what is changed of a method has its own. */
export function forests({ rows }: SuiteResults, against: Against): MapChart[] {
  const groups = grouped(rows, ({ method, variant }) => (variant === undefined ? method : `${method}-changed`))
  return groups.map(([key, own]) => {
    const [{ method, variant }] = own as [MapRow]
    const title = `${methodLabels[method]}${variant === undefined ? '' : ', one thing changed'}, against ${againstLabels[against]}`
    const named = own.map((row) => ({ label: forestLabel(row), difference: row[against].difference }))
    const axis = `judge score with δ minus that with ${againstLabels[against]}`
    return { name: `forest-${against}-${key}`, title, chart: forest(named, { title, axis, width: 450, labels: 150, rowHeight: 22 }) }
  })
}

function forestLabel({ variant, form, weights, setting }: MapRow): string {
  const what = variant === undefined ? `${form}, ${weights === 'lora' ? 'LoRA' : 'full'}` : variantLabel(variant)
  return `${what}, ${setting === 'tuned' ? 'beside η' : setting}`
}

/** Differences against cos(η, δ), means of the seeds, a chart for each setting, all with the same cosines across. */
export function scatters({ rows }: SuiteResults, against: Against): MapChart[] {
  const x = around(rows.map((row) => spreadOf(row, 'cosine').mean))
  return grouped(rows, ({ setting }) => setting).map(([setting, own]) => {
    const y = around(own.flatMap((row) => [row[against].difference.low, row[against].difference.high, 0]))
    const title = `Difference from ${againstLabels[against]} by cosine, ${settingLabels[own[0]!.setting]}`
    return { name: `cosine-${against}-${setting}`, title, chart: scatter(title, own, against, { x, y }) }
  })
}

interface Range {
  readonly min: number
  readonly max: number
}

/** A range of round ends with all values inside. */
function around(values: readonly number[]): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const step = 10 ** Math.floor(Math.log10(high - low || 1))
  return { min: step * Math.floor(low / step), max: step * Math.ceil(high / step) }
}

function scatter(title: string, rows: readonly MapRow[], against: Against, { x, y }: { x: Range; y: Range }): Markup {
  const axis = { ...AXIS, type: 'value', nameLocation: 'middle' } as const
  const series = grouped(rows, ({ method }) => method).map(([, own]) => methodPoints(own, against))
  return drawChart(
    title,
    {
      legend: { top: 0, left: 'center', icon: 'circle', itemWidth: 9, itemHeight: 9, itemGap: 12, textStyle: TEXT },
      grid: { left: 52, right: 16, top: 36, bottom: 46 },
      xAxis: {
        ...axis, ...x, name: 'cos(η, δ)', nameGap: 28, axisLine: { ...AXIS.axisLine, onZero: false },
        axisLabel: { ...AXIS.axisLabel, formatter: (value: number) => fixed(value, 2), hideOverlap: true },
      },
      yAxis: { ...axis, ...y, axisLabel: { ...AXIS.axisLabel, formatter: tickText } },
      series: [
        ...series,
        rule({ yAxis: 0 }),
      ],
    },
    { width: 360, height: 320 },
  )
}

/** Rows of one method as marks with their intervals. */
function methodPoints(rows: readonly MapRow[], against: Against): object {
  const { method } = rows[0]!
  const color = MARKERS[roles[method]]
  const points = rows.map((row) => ({ row, cosine: spreadOf(row, 'cosine').mean, difference: row[against].difference }))
  return {
    type: 'custom',
    name: methodLabels[method],
    itemStyle: { color },
    data: points.map(({ cosine, difference: { mean, low, high } }) => [cosine, mean, low, high]),
    encode: { x: 0, y: [1, 2, 3] },
    renderItem: ({ dataIndex }: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
      const { row, cosine, difference } = points[dataIndex]!
      const at = (value: number): [number, number] => api.coord([cosine, value]) as [number, number] // x, y
      const [[cx, cy], [, y1], [, y2]] = [at(difference.mean), at(difference.low), at(difference.high)]
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1: cx, y1, x2: cx, y2 }, style: { stroke: color, lineWidth: 1.5, opacity: 0.5 } },
          { ...mark(row, cx, cy), style: { fill: row.weights === 'full' ? MARKERS.paper : color, stroke: color, lineWidth: 1.75 } },
        ],
      }
    },
  }
}

/** Round by swap, a triangle through guidance, a square for what is changed of a method. */
function mark({ form, variant }: MapRow, cx: number, cy: number): object {
  if (variant !== undefined) return { type: 'rect', shape: { x: cx - 3.5, y: cy - 3.5, width: 7, height: 7 } }
  if (form === 'guided') return { type: 'polygon', shape: { points: [[cx, cy - 5], [cx + 5, cy + 4], [cx - 5, cy + 4]] } }
  return { type: 'circle', shape: { cx, cy, r: 4 } }
}

/** What the marks of a scatter chart mean, but for colours. */
export const marksInWords: string =
  `Round: by swap. Triangles: through guidance. Squares: one thing changed of δ. Filled: ${weightsLabels.lora}; hollow: ${weightsLabels.full}. ` +
  'Bars are 95% intervals of the difference; cosines are means over seeds. Differences have another axis in each chart.'
