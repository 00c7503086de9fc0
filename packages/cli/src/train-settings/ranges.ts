import type { Range } from '@antipode/core/options'

/** What an average keeps of itself; 0 for none. */
export const decay: Range = { expected: 'a number of 0 or more, below 1', accepts: (v) => typeof v === 'number' && v >= 0 && v < 1 }

/** A text, which may be empty. */
export const aText: Range = { expected: 'a text', accepts: (v) => typeof v === 'string' }
