import type { Markup } from '@antipode/report'

const colors = ['#2f81f7', '#e8590c', '#2da44e', '#bf3989', '#9a6700', '#8250df', '#1b7c83', '#cf222e'] as const

/** Middle tones, legible on a light and on a dark page alike: an image cannot follow the page's theme. */
export const tones = { ink: '#7d8590', faint: '#8b949e55', main: colors[0], second: colors[1], colors, font: 'system-ui, sans-serif' } as const

/** What the variables of a page are in an image. */
const roles: Readonly<Record<string, string>> = {
  sans: tones.font, ink: tones.ink, muted: tones.ink, line: tones.faint, paper: 'none', better: colors[2], worse: colors[7],
  series0: tones.ink, series1: colors[6], series2: colors[4], series3: colors[3], series4: colors[0], series5: colors[5], series6: colors[1],
}

/** Numbers of an SVG to hundredths of a pixel, so that its file is small and tells no two machines apart. */
export function rounded(svg: string): string {
  return `${svg.replaceAll(/\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100))}\n`
}

/** A chart of a page as the text of an SVG file. */
export function imageOf({ markup }: Markup): string {
  return rounded(markup)
    .replaceAll(/var\(--(\w+)\)/g, (_, role: string) => roles[role] ?? tones.ink)
    // An image needs the size that a page leaves to its column.
    .replace(/^<svg (.*?viewBox="0 0 (\d+) (\d+)")/, '<svg width="$2" height="$3" $1')
}
