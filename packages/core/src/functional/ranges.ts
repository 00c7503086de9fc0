import { Tensor } from '../graph/index.ts'
import type { Range } from '../options/index.ts'

/** A tensor; what it has to look like is told by the op that takes it. */
export const aTensor: Range = { expected: 'a tensor', accepts: (v) => v instanceof Tensor }

/** A list of so many whole numbers of `low` or more. */
export function countsOf(low: number, ...lengths: readonly number[]): Range {
  return {
    expected: `a list of ${lengths.join(' or ')} whole numbers of ${low} or more`,
    accepts: (v) => Array.isArray(v) && lengths.includes(v.length) && v.every((n) => Number.isSafeInteger(n) && n >= low),
  }
}
