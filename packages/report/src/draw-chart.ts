import { CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components'
import * as echarts from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { SVGRenderer } from 'echarts/renderers'
import { type Markup, trusted } from './html.ts'
import { MARKERS, themed } from './palette.ts'

echarts.use([
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  LabelLayout,
  SVGRenderer,
])

interface Lettering {
  readonly fontFamily: string
  readonly fontSize: number
  readonly color: string
}

/** Lettering of all charts, in px; the page's own sans-serif. */
export const TEXT: Lettering = { fontFamily: 'var(--sans)', fontSize: 12, color: MARKERS.ink }

/** The part of an axis' options that all charts share. */
interface AxisStyle {
  readonly axisLine: { readonly lineStyle: { readonly color: string } }
  readonly axisTick: { readonly show: boolean }
  readonly axisLabel: Lettering
  readonly splitLine: { readonly lineStyle: { readonly color: string; readonly opacity: number } }
  readonly nameTextStyle: Lettering
}

/** Quiet axis: hairline, no ticks, labels muted. */
export const AXIS: AxisStyle = {
  axisLine: { lineStyle: { color: MARKERS.line } },
  axisTick: { show: false },
  axisLabel: { ...TEXT, color: MARKERS.muted },
  splitLine: { lineStyle: { color: MARKERS.line, opacity: 0.6 } },
  nameTextStyle: { ...TEXT, color: MARKERS.muted },
}

/** Options of a chart, as ECharts has them. Its own types would ask for those of browsers. */
export type ChartOption = Readonly<Record<string, unknown>>

/** A chart of the size given, in px, as an SVG that scales with the page and follows its theme. */
export function drawChart(title: string, option: ChartOption, size: { width: number; height: number }): Markup {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption({ animation: false, textStyle: TEXT, ...option })
    const name = title.replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    const svg = chart
      .renderToSVGString()
      // Without a fixed width and height the view box alone decides, and the page may scale it.
      .replace(/^<svg width="\d+" height="\d+"/, `<svg role="img" aria-label="${title.replace(/["<>&]/g, '')}"`)
      // What the library adds for pointers and hydration has no use on a still page.
      .replace(/<style\s*>.*?<\/style>/gs, '')
      .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
      // Its ids count the charts of the process; named after the title, the same data give the same page.
      .replaceAll(/\bzr\d+-/g, `${name}-`)
    return trusted(themed(svg))
  } finally {
    chart.dispose()
  }
}
