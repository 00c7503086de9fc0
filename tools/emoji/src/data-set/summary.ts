import type { Row } from './rows.ts'

/** What a list has. */
export interface Summary {
  readonly pictures: number
  readonly degraded: number
  readonly families: number
  readonly distinctCaptions: number
  readonly distinctWords: number
  /** In words. */
  readonly longestCaption: number
  /** Pictures of each split. */
  readonly splits: Readonly<Record<string, number>>
}

/** Counts of a list. */
export function summaryOf(rows: readonly Row[]): Summary {
  const captions = new Set(rows.flatMap(({ text }) => text))
  const words = [...captions].map((caption) => caption.split(' '))
  const splits: Record<string, number> = {}
  for (const { split } of rows) splits[split] = (splits[split] ?? 0) + 1
  return {
    pictures: rows.length, degraded: rows.filter(({ degraded }) => degraded !== 'none').length,
    families: new Set(rows.map(({ family }) => family)).size, distinctCaptions: captions.size,
    distinctWords: new Set(words.flat().map((word) => word.replace(/,$/, ''))).size,
    longestCaption: words.reduce((longest, { length }) => Math.max(longest, length), 0), splits,
  }
}
