/**
 * Colours of the charts. The chart library wants literal colours, the page wants CSS variables that follow the reader's
 * theme; so charts are drawn in these marker colours, each used for one role only, and `themed` swaps them afterwards.
 */
export const MARKERS = {
  ink: '#010101',
  muted: '#020202',
  line: '#030303',
  series0: '#040404',
  series1: '#050505',
  series2: '#060606',
  series3: '#070707',
  series4: '#080808',
  series5: '#090909',
  series6: '#0a0a0a',
  better: '#0b0b0b',
  worse: '#0c0c0c',
  paper: '#0d0d0d',
} as const

/** A role of `MARKERS`. */
export type Role = keyof typeof MARKERS

/** Replaces marker colours by `var(--role)`. */
export function themed(svg: string): string {
  return Object.entries(MARKERS).reduce((text, [role, marker]) => text.replaceAll(marker, `var(--${role})`), svg)
}
