import type { Range } from '../../options/index.ts'

/** What chooses layers by their names. */
export const targetRange: Range = {
  expected: 'a RegExp or a function of a name', accepts: (v) => v instanceof RegExp || typeof v === 'function',
}
