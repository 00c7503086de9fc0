import { armLabel, type ArmComparison, type Evaluation, type Metric } from '@antipode/npo/evaluation'
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts'
import { AXIS, drawChart, MARKERS, type Markup, TEXT } from '@antipode/report'
import { armStyle } from './arm-style.ts'
import { fixed, percent, scaleText } from './numbers.ts'
import type { ArmReport, TrainingChart } from './report-data.ts'
import { rule } from './rule.ts'

interface CurveOptions {
  readonly title: string
  readonly metric: Metric
  readonly arms: readonly Pick<ArmReport, 'id'>[]
  readonly width: number
  readonly height: number
}

/** A metric against guidance scale: a line and its 95% band for each arm, a ring at each arm's own best scale. */
export function scaleCurves(evaluation: ArmComparison, options: CurveOptions): Markup {
  const { title, metric, arms, width, height } = options
  const categories = evaluation.scales.map(scaleText)
  const show = (value: number): string => (metric === 'correct' ? `${percent(value, 0)}%` : fixed(value, 2))
  const series = arms.flatMap(({ id }, index) => {
    const points = evaluation.curves.find((one) => one.arm === id && one.metric === metric)?.points ?? []
    const { role, dashed } = armStyle(id, index)
    const color = MARKERS[role]
    const best = evaluation.best[id]?.scale
    return [
      band(points, color, dashed ? 0.07 : 0.16),
      {
        type: 'line',
        name: armLabel(id),
        data: points.map(({ mean }) => mean),
        symbol: 'none',
        lineStyle: { color, width: dashed ? 1.5 : 2.25, type: dashed ? [5, 4] : 'solid' },
        endLabel: { show: true, formatter: '{a}', color, fontFamily: TEXT.fontFamily, fontSize: 12, distance: 8 },
        labelLayout: { moveOverlap: 'shiftY' },
      },
      {
        type: 'scatter',
        data: points.filter(({ scale }) => scale === best).map(({ scale, mean }) => [scaleText(scale), mean]),
        symbolSize: 9,
        itemStyle: { color: MARKERS.paper, borderColor: color, borderWidth: 2.25, opacity: 1 },
        z: 5,
      },
    ]
  })
  return drawChart(
    title,
    {
      grid: { left: 54, right: 92, top: 12, bottom: 44 },
      xAxis: {
        ...AXIS,
        type: 'category',
        boundaryGap: false,
        data: categories,
        name: 'guidance scale w',
        nameLocation: 'middle',
        nameGap: 28,
      },
      yAxis: {
        ...AXIS,
        type: 'value',
        scale: true,
        ...(metric === 'correct' ? { max: 1 } : {}),
        axisLabel: { ...AXIS.axisLabel, formatter: show },
      },
      series,
    },
    { width, height },
  )
}

/** A filled band between the ends of the intervals. */
function band(points: readonly { low: number; high: number }[], color: string, opacity: number): object {
  return {
    type: 'custom',
    silent: true,
    data: points.length === 0 ? [] : points.map((point, i) => [i, point.low, point.high]),
    encode: { x: 0, y: [1, 2] }, // so that the axis makes room for the band
    clip: true,
    z: 1,
    renderItem: ({ dataIndex }: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
      if (dataIndex > 0) return null // one polygon, drawn with the first point
      const upper = points.map(({ high }, i) => api.coord([i, high]))
      const lower = points.map(({ low }, i) => api.coord([i, low])).reverse()
      return { type: 'polygon', shape: { points: [...upper, ...lower] }, style: { fill: color, opacity } }
    },
  }
}

/** Win rates at equal scales, one line for each pair of arms, around the line of even odds. */
export function equalScaleWins(
  evaluation: Evaluation,
  pairs: readonly (readonly [string, string])[],
  { title, width, height }: { title: string; width: number; height: number },
): Markup {
  const series = pairs.flatMap(([a, b], index) => {
    const rows = evaluation.equalScale.filter((row) => row.a === a && row.b === b)
    const { role } = armStyle(a, index)
    const color = MARKERS[role]
    return [
      band(
        rows.map(({ winRate }) => winRate),
        color,
        0.16,
      ),
      {
        type: 'line',
        name: `${armLabel(a)} vs ${armLabel(b)}`,
        data: rows.map(({ winRate }) => winRate.mean),
        symbol: 'circle',
        symbolSize: 5,
        itemStyle: { color },
        lineStyle: { color, width: 2.25 },
      },
    ]
  })
  return drawChart(
    title,
    {
      legend: { top: 0, left: 0, icon: 'roundRect', itemHeight: 4, itemWidth: 18, itemGap: 32, textStyle: TEXT },
      grid: { left: 54, right: 24, top: 40, bottom: 44 },
      xAxis: {
        ...AXIS,
        type: 'category',
        boundaryGap: false,
        data: evaluation.scales.map(scaleText),
        name: 'guidance scale w, the same for both arms',
        nameLocation: 'middle',
        nameGap: 28,
      },
      yAxis: {
        ...AXIS,
        type: 'value',
        min: 0,
        max: 1,
        interval: 0.25,
        axisLabel: { ...AXIS.axisLabel, formatter: (value: number) => `${percent(value, 0)}%` },
      },
      series: [
        ...series,
        rule({ yAxis: 0.5 }),
      ],
    },
    { width, height },
  )
}

/** A training metric against steps; `run` names the training among others on the page. */
export function trainingCurves(
  { title, series }: TrainingChart,
  { run, ...size }: { run: string; width: number; height: number },
): Markup {
  const roles = ['series1', 'series2', 'series3', 'series4', 'series5', 'series6'] as const
  return drawChart(
    `${run}: ${title}`,
    {
      legend: {
        show: series.length > 1,
        top: 0,
        right: 0,
        icon: 'roundRect',
        itemHeight: 4,
        itemWidth: 14,
        itemGap: 16,
        textStyle: { ...TEXT, fontSize: 11 },
      },
      grid: { left: 48, right: 14, top: series.length > 1 ? 28 : 10, bottom: 26 },
      xAxis: { ...AXIS, type: 'value', min: 'dataMin', max: 'dataMax', splitLine: { show: false }, splitNumber: 4 },
      yAxis: { ...AXIS, type: 'value', scale: true, splitNumber: 4 },
      series: series.map(({ name, steps, values }, i) => ({
        type: 'line',
        name,
        data: steps.map((step, k) => [step, values[k]]),
        symbol: 'none',
        lineStyle: { color: MARKERS[roles[i % roles.length]!], width: 1.75 },
        itemStyle: { color: MARKERS[roles[i % roles.length]!] },
      })),
    },
    size,
  )
}
