import { armLabel, type Comparison, type Interval } from '@antipode/npo/evaluation'
import { AXIS, drawChart, MARKERS, type Markup, TEXT } from '@antipode/report'
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts'
import { signed, tickText } from './numbers.ts'
import { rule } from './rule.ts'
import { outcome } from './wording.ts'

/** A paired difference and its name. */
export interface ForestRow {
  readonly label: string
  readonly difference: Interval
}

/** Words of {@link forest}, and its sizes in px. */
export interface ForestOptions {
  readonly title: string
  /** What the differences are. */
  readonly axis?: string
  readonly width: number
  /** Room for the names of rows. */
  readonly labels?: number
  readonly rowHeight?: number
}

/** Comparisons of two arms, named after them. */
export function armRows(rows: readonly Comparison[]): ForestRow[] {
  return rows.map(({ a, b, difference }) => ({ label: `${armLabel(a)}  vs  ${armLabel(b)}`, difference }))
}

/** Paired differences of the judge's score with their intervals around the line of no difference. */
export function forest(rows: readonly ForestRow[], options: ForestOptions): Markup {
  const { title, axis = 'judge score, first minus second', width, labels = 196, rowHeight = 30 } = options
  const colors = { better: MARKERS.better, worse: MARKERS.worse, undecided: MARKERS.muted }
  return drawChart(
    title,
    {
      grid: { left: labels, right: 92, top: 10, bottom: 46 },
      xAxis: {
        ...AXIS,
        type: 'value',
        name: axis,
        nameLocation: 'middle',
        nameGap: 28,
        axisLabel: { ...AXIS.axisLabel, formatter: tickText, hideOverlap: true },
      },
      yAxis: {
        ...AXIS,
        type: 'category',
        inverse: true,
        data: rows.map(({ label }) => label),
        axisLabel: { ...AXIS.axisLabel, color: MARKERS.ink, interval: 0 },
        axisLine: { show: false },
      },
      series: [
        {
          type: 'custom',
          data: rows.map(({ difference: { low, high, mean } }, i) => [low, high, mean, i]),
          encode: { x: [0, 1, 2], y: 3 },
          renderItem: ({ dataIndex }: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
            const row = rows[dataIndex]!
            const at = (value: number): [number, number] => api.coord([value, dataIndex]) as [number, number] // x, y
            const [low, high, mean] = [at(row.difference.low), at(row.difference.high), at(row.difference.mean)]
            const fill = colors[outcome(row)]
            return {
              type: 'group',
              children: [
                {
                  type: 'line',
                  shape: { x1: low[0], y1: low[1], x2: high[0], y2: high[1] },
                  style: { stroke: fill, lineWidth: 5, opacity: 0.35, lineCap: 'round' },
                },
                { type: 'circle', shape: { cx: mean[0], cy: mean[1], r: 4.5 }, style: { fill } },
                {
                  type: 'text',
                  style: {
                    text: signed(row.difference.mean),
                    x: width - 80,
                    y: mean[1],
                    fill,
                    font: `12px ${TEXT.fontFamily}`,
                    verticalAlign: 'middle',
                  },
                },
              ],
            }
          },
        },
        rule({ xAxis: 0 }),
      ],
    },
    { width, height: 56 + rowHeight * rows.length },
  )
}
