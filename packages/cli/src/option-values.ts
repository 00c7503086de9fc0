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

const units = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 } as const

/** An amount of memory: a number, and the unit it counts. */
export const memorySize: Kind = {
  range: { expected: 'bytes, such as 2GiB or 900MB', accepts: whole(1).accepts },
  read(text) {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? []
    const factor = (units as Readonly<Record<string, number>>)[unit.toUpperCase()]
    return number === undefined || factor === undefined ? text : Math.floor(Number(number) * factor)
  },
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
