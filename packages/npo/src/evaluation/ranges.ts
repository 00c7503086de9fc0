import { anObject, listOf, type Range, required, text } from '@antipode/core/options'

/** Options of a comparison. */
export const compareRanges: { readonly metric: Range; readonly resamples: Range } = {
  metric: text, resamples: required(anObject('resamples of tableResamples')),
}

/** Pairs of names of arms. */
export const armPairs: Range = listOf({
  expected: 'a pair of names', accepts: (v) => listOf(text).accepts(v) && (v as readonly unknown[]).length === 2,
})
