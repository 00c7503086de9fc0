import { MARKERS } from '@antipode/report'

/** A thin line across a chart at a value of one of its axes, as a series. */
export function rule(at: { readonly xAxis: number } | { readonly yAxis: number }): object {
  return {
    type: 'line',
    data: [],
    markLine: {
      silent: true, symbol: 'none', label: { show: false }, data: [at],
      lineStyle: { color: MARKERS.ink, type: 'solid', width: 1, opacity: 0.6 },
    },
  }
}
