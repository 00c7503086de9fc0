import { either, listOf, type Range } from '@antipode/core/options'

// What fields of a checkpoint's configuration accept, besides the ranges of options.

const nothing: Range = { expected: 'null', accepts: (v) => v === null }

/** What `range` accepts, or null. */
export const orNull = (range: Range): Range => either(range, nothing)

/** The values that a model knows of a field that would change its result. */
export const only = (...values: readonly unknown[]): Range =>
  ({ expected: `${values.map((v) => JSON.stringify(v)).join(' or ')}, as this model knows nothing else`, accepts: (v) => values.includes(v) })

/** Of a field that changes nothing, whatever it is. */
export const any: Range = { expected: 'anything', accepts: () => true }

/** A list that is not empty. */
export function filled(range: Range): Range {
  const { expected, accepts } = listOf(range)
  return { expected: `${expected}, and not empty`, accepts: (v) => accepts(v) && (v as readonly unknown[]).length > 0 }
}
