import type { CustomSeriesRenderItemAPI } from 'echarts'
import { CustomChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components'
import * as echarts from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { SVGRenderer } from 'echarts/renderers'
import { islands } from './mixture.ts'
import type { Measured, Portrait } from './runs.ts'
import { rounded, tones } from './tones.ts'

echarts.use([CustomChart, LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, LabelLayout, SVGRenderer])

const { ink, faint, main, second, colors, font } = tones
const text = { fontFamily: font, fontSize: 11, color: ink } as const

const axis = {
  axisLine: { lineStyle: { color: faint } },
  axisTick: { show: false },
  axisLabel: text,
  splitLine: { lineStyle: { color: faint, width: 0.5 } },
  nameTextStyle: text,
  nameLocation: 'middle',
} as const

/** A chart as the text of an SVG file. */
function drawn(name: string, option: echarts.EChartsCoreOption, size: { width: number; height: number }): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption({ animation: false, textStyle: text, ...option })
    return rounded(chart
      .renderToSVGString()
      // What the library adds for pointers has no use in an image, and its ids count the charts of the process.
      .replace(/<style\s*>.*?<\/style>/gs, '')
      .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
      .replaceAll(/\bzr\d+-/g, `${name}-`))
  } finally {
    chart.dispose()
  }
}

const errorAxes = (low: number): object => ({
  xAxis: { ...axis, type: 'log', min: 1, max: 100, name: 'model calls', nameGap: 24 },
  yAxis: { ...axis, type: 'log', min: low, max: 2, axisLabel: { ...text, formatter: (value: number) => (value < 0.01 ? value.toExponential(0) : String(value)) } },
})

const line = (name: string, errors: readonly Measured[], color: string, style: object = {}): object => ({
  type: 'line',
  name,
  data: errors.filter(({ error }) => error > 0).map(({ calls, error }) => [calls, error]),
  symbol: 'none',
  itemStyle: { color },
  lineStyle: { color, width: 1.75, ...style },
})

/** Errors of several solvers against their model calls, on logarithmic axes. */
export function errorChart(
  name: string,
  lines: readonly { readonly label: string; readonly errors: readonly Measured[] }[],
  { low, floor }: { low: number; floor?: number },
): string {
  const series = lines.map(({ label, errors }, i) => ({
    ...line(label, errors, colors[i % colors.length]!, { type: i < colors.length ? 'solid' : [5, 3] }),
    endLabel: { show: true, formatter: '{a}', color: colors[i % colors.length], fontFamily: font, fontSize: 11, distance: 6 },
    labelLayout: { moveOverlap: 'shiftY' },
  }))
  return drawn(
    name,
    {
      grid: { left: 48, right: 178, top: 14, bottom: 42 },
      ...errorAxes(low),
      series: [...series, ...(floor === undefined ? [] : [level(floor)])],
    },
    { width: 760, height: 440 },
  )
}

/** A dashed line across at an error that nothing can fall below. */
function level(at: number): object {
  return {
    type: 'line',
    data: [],
    markLine: { silent: true, symbol: 'none', label: { show: false }, data: [{ yAxis: at }], lineStyle: { color: ink, type: [2, 3], width: 1 } },
  }
}

/** One solver: its paths over the islands of data on the left, its errors on the right, with another's behind them. */
export function portraitChart(portrait: Portrait, behind: Portrait | undefined, floor: number): string {
  const { name, paths, errors, onKarrasLevels, kind } = portrait
  const plane = { ...axis, type: 'value', min: -2.4, max: 2.4, interval: 1.2, axisLabel: { show: false } } as const
  const [left, right] = [errorAxes(kind === 'path' ? 1e-4 : 0.01) as { xAxis: object; yAxis: object }, { gridIndex: 1 }]
  return drawn(
    name,
    {
      title: { text: name, left: 8, top: 2, textStyle: { ...text, fontSize: 13, fontWeight: 600 } },
      grid: [
        { left: 10, top: 26, width: 210, height: 210 },
        { left: 280, top: 26, width: 230, height: 178 },
      ],
      xAxis: [plane, { ...left.xAxis, ...right }],
      yAxis: [plane, { ...left.yAxis, ...right }],
      series: [
        {
          type: 'custom',
          silent: true,
          data: islands.map(({ x, y, radius }) => [x, y, radius]),
          renderItem: (_: unknown, api: CustomSeriesRenderItemAPI) => {
            const [cx = 0, cy = 0] = api.coord([api.value(0), api.value(1)])
            const [edge = 0] = api.coord([Number(api.value(0)) + Number(api.value(2)), api.value(1)])
            return { type: 'circle', shape: { cx, cy, r: edge - cx }, style: { fill: faint } }
          },
        },
        ...paths.map((path) => ({
          type: 'line',
          data: path.map(([x, y]) => [x, y]),
          symbol: 'none',
          lineStyle: { color: main, width: 0.9, opacity: 0.75 },
        })),
        ...(behind === undefined ? [] : [{ ...line(behind.name, behind.errors, ink, { width: 1 }), xAxisIndex: 1, yAxisIndex: 1 }]),
        { ...line('timesteps', errors, main), xAxisIndex: 1, yAxisIndex: 1 },
        ...(onKarrasLevels.length === 0 ? [] : [{ ...line('Karras', onKarrasLevels, second), xAxisIndex: 1, yAxisIndex: 1 }]),
        ...(kind === 'path' ? [] : [{ ...level(floor), xAxisIndex: 1, yAxisIndex: 1 }]),
      ],
      legend: {
        data: ['timesteps', ...(onKarrasLevels.length === 0 ? [] : ['Karras']), ...(behind === undefined ? [] : [behind.name])],
        left: 280,
        top: 2,
        icon: 'roundRect',
        itemHeight: 3,
        itemWidth: 12,
        itemGap: 24,
        textStyle: text,
      },
    },
    { width: 520, height: 246 },
  )
}
