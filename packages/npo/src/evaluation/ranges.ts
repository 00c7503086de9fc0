import { anObject, listOf, oneOf, type Range, required, text } from '@antipode/core/options'

/** A metric of a table. */
export const aMetric: Range = oneOf('judge', 'reward', 'correct')

/** Options of a comparison. */
export const compareRanges: { readonly metric: Range; readonly resamples: Range } = {
  metric: aMetric, resamples: required(anObject('resamples of tableResamples')),
}

/** Pairs of names of arms. */
export const armPairs: Range = listOf({
  expected: 'a pair of names', accepts: (v) => listOf(text).accepts(v) && (v as readonly unknown[]).length === 2,
})
