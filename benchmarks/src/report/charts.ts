// The charts of the main job's report: one look, and one way to draw without a browser.
import { AXIS, drawChart, MARKERS, type Markup, type Role, TEXT } from '@antipode/report'
import { digits } from './format.ts'

/** What the chart library hands to a function that draws one item: its values, and where they lie in px. */
interface Places {
  value(dimension: number): number
  coord(values: readonly number[]): number[]
}

/** A mark of a library on a workload: a point, and the ends of the line through it. */
export interface Mark {
  readonly at: number
  readonly from: number
  readonly to: number
}

/** What a chart of libraries by workloads shows. */
export interface DotChart {
  readonly title: string
  /** Workloads, from the top. */
  readonly rows: readonly string[]
  readonly libraries: readonly string[]
  /** All libraries of the page, whose order decides their colours. */
  readonly page: readonly string[]
  readonly axis: string
  /** A line across all rows. */
  readonly reference?: number
  readonly markOf: (row: number, library: number) => Mark | undefined
}

const roles = ['series1', 'series2', 'series3', 'series4', 'series5', 'series6', 'series0'] as const satisfies readonly Role[]
const width = 1000
const rowHeight = 42

/** Dots with lines through them on a logarithmic axis, a row a workload and a colour a library. */
export function dotChart({ title, rows, libraries, page, axis, reference, markOf }: DotChart): Markup {
  const marks = rows.flatMap((_, row) => libraries.flatMap((_, library) => markOf(row, library) ?? []))
  const ends = [...marks.flatMap(({ from, to, at }) => [from, to, at]), ...(reference === undefined ? [] : [reference])].filter((v) => v > 0)
  const colourOf = (library: string): string => MARKERS[roles[page.indexOf(library) % roles.length] ?? 'series0']
  const step = Math.min(7, 30 / libraries.length)
  return drawChart(title, {
    legend: { top: 0, left: 0, icon: 'circle', itemWidth: 9, itemHeight: 9, itemGap: 22, textStyle: TEXT, data: [...libraries] },
    grid: { left: 430, right: 30, top: 34, bottom: 46 },
    xAxis: {
      ...AXIS, type: 'log', min: nice(Math.min(...ends), Math.floor), max: nice(Math.max(...ends), Math.ceil),
      name: axis, nameLocation: 'middle', nameGap: 28, axisLabel: { ...AXIS.axisLabel, formatter: (v: number) => String(Number(digits(v))) },
    },
    yAxis: { ...AXIS, type: 'category', inverse: true, data: [...rows], axisLine: { show: false }, axisLabel: { ...AXIS.axisLabel, color: MARKERS.ink, width: 418, overflow: 'truncate' } },
    series: [
      ...libraries.map((name, library) => ({
        type: 'custom', name, itemStyle: { color: colourOf(name) },
        data: rows.flatMap((_, row) => {
          const mark = markOf(row, library)
          return mark ? [[mark.at, mark.from, mark.to, row]] : []
        }),
        encode: { x: [0, 1, 2], y: 3 },
        renderItem: (_: unknown, api: Places) => dot(api, colourOf(name), step * (library - (libraries.length - 1) / 2)),
      })),
      ...(reference === undefined ? [] : [{
        type: 'line', data: [],
        markLine: {
          silent: true, symbol: 'none', label: { show: false }, data: [{ xAxis: reference }],
          lineStyle: { color: MARKERS.ink, type: 'solid', width: 1, opacity: 0.6 },
        },
      }]),
    ],
  }, { width, height: 90 + rowHeight * rows.length })
}

function dot(api: Places, colour: string, down: number): object {
  const place = (dimension: number): readonly [number, number] => api.coord([api.value(dimension), api.value(3)]) as [number, number] // x, y
  const [at, from, to] = [place(0), place(1), place(2)]
  return {
    type: 'group',
    children: [
      { type: 'line', shape: { x1: from[0], y1: from[1] + down, x2: to[0], y2: to[1] + down }, style: { stroke: colour, lineWidth: 3, opacity: 0.4, lineCap: 'round' } },
      { type: 'circle', shape: { cx: at[0], cy: at[1] + down, r: 3.6 }, style: { fill: colour } },
    ],
  }
}

/** The next of 1, 2, 5, 10, … below or above a number. */
function nice(value: number, round: (v: number) => number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  const steps = [1, 2, 5, 10]
  return decade * (round === Math.ceil ? steps.find((s) => s * decade >= value) ?? 10 : steps.findLast((s) => s * decade <= value) ?? 1)
}
