import type { Range } from './options.ts'

const isNumber = (value: unknown): value is number => typeof value === 'number'

/** An option that must be given. */
export function required(range: Range): Range {
  return { ...range, required: true }
}

/** Any number that is finite. */
export const finite: Range = { expected: 'a finite number', accepts: (v) => isNumber(v) && Number.isFinite(v) }

/** A finite number above 0. */
export const positive: Range = { expected: 'a positive, finite number', accepts: (v) => isNumber(v) && v > 0 && v < Infinity }

/** A finite number of `low` or more. */
export function atLeast(low: number): Range {
  return { expected: `a finite number of ${low} or more`, accepts: (v) => isNumber(v) && v >= low && v < Infinity }
}

/** A number in [low, high]. */
export function between(low: number, high: number): Range {
  return { expected: `a number in [${low}, ${high}]`, accepts: (v) => isNumber(v) && v >= low && v <= high }
}

/** A number in [low, high). */
export function below(low: number, high: number): Range {
  return { expected: `a number in [${low}, ${high})`, accepts: (v) => isNumber(v) && v >= low && v < high }
}

/** A whole number in [low, high], each of them included. */
export function whole(low: number, high: number = Number.MAX_SAFE_INTEGER): Range {
  const expected = high === Number.MAX_SAFE_INTEGER ? `a whole number of ${low} or more` : `a whole number in [${low}, ${high}]`
  return { expected, accepts: (v) => Number.isSafeInteger(v) && (v as number) >= low && (v as number) <= high }
}

/** True or false. */
export const flag: Range = { expected: 'true or false', accepts: (v) => typeof v === 'boolean' }

/** One of some words. */
export function oneOf(...words: readonly string[]): Range {
  return { expected: words.map((w) => `'${w}'`).join(' or '), accepts: (v) => typeof v === 'string' && words.includes(v) }
}

/** A text that is not empty. */
export const text: Range = { expected: 'a text that is not empty', accepts: (v) => typeof v === 'string' && v !== '' }

/** A function. */
export const callable: Range = { expected: 'a function', accepts: (v) => typeof v === 'function' }

/** An AbortSignal. */
export const abortSignal: Range = { expected: 'an AbortSignal', accepts: (v) => v instanceof AbortSignal }

/** An object of the kind named, whose own maker has checked it. */
export function anObject(what: string): Range {
  return { expected: what, accepts: (v) => typeof v === 'object' && v !== null }
}

/** Either of two ranges. */
export function either(a: Range, b: Range): Range {
  return { expected: `${a.expected} or ${b.expected}`, accepts: (v) => a.accepts(v) || b.accepts(v) }
}

/** A list whose every member is in the range. */
export function listOf(range: Range): Range {
  return { expected: `a list, each of it ${range.expected}`, accepts: (v) => Array.isArray(v) && v.every((one) => range.accepts(one)) }
}
