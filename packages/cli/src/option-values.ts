import { oneOf, type Range, whole } from '@antipode/core/options'
import { InvalidArgumentError, Option } from 'commander'

/** How the text of an option's value is read, and what it may be. */
export interface Kind {
  readonly range: Range
  /** What the text says; the text itself where it says nothing of the kind, which is then outside the range. */
  readonly read: (text: string) => unknown
}

/** An option whose value lies in a range. Its help says which, and so does the complaint about any other value. */
export class RangedOption extends Option {
  readonly range: Range

  constructor(flags: string, description: string, { range, read }: Kind) {
    super(flags, `${description}: ${range.expected}`)
    this.range = range
    this.argParser((text) => {
      const value = read(text)
      if (!range.accepts(value)) throw new InvalidArgumentError(`Expected ${range.expected}.`)
      return value
    })
  }
}

/** Whole numbers in [low, high], in decimal digits. */
export function wholeNumber(low: number, high: number): Kind {
  return { range: whole(low, high), read: (text) => (/^\d+$/.test(text) ? Number(text) : text) }
}

/** A number in decimal digits, in a range. */
export function decimal(range: Range): Kind {
  return { range, read: (text) => (/^[\d.eE+-]+$/.test(text) ? Number(text) : text) }
}

/** One of some words. */
export function word(...words: readonly string[]): Kind {
  return { range: oneOf(...words), read: (text) => text }
}

/** Paths of files and folders. */
export const path: Kind = {
  range: { expected: 'a path that is not empty', accepts: (v) => typeof v === 'string' && v.trim() !== '' },
  read: (text) => text,
}
