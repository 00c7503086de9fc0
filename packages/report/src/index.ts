export { AXIS, type ChartOption, drawChart, TEXT } from './draw-chart.ts'
export { html, type Markup, trusted } from './html.ts'
export { type Page, page } from './page.ts'
export { MARKERS, type Role, themed } from './palette.ts'
