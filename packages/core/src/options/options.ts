import { ConfigError } from '../errors.ts'

/** What one option accepts; `undefined` is always accepted, and means the default, unless the option is {@link required}. */
export interface Range {
  /** In words, for the docstring and the error: "a positive number". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  readonly required?: boolean
}

/** A range for each option of O, none left out: the compiler says so. */
export type Ranges<O> = { readonly [K in keyof O]-?: Range }

/**
 * Checks the options of a public function before it does anything: no option that it does not have, none outside its range.
 * TypeScript sees most such mistakes; JavaScript, JSON and computed values do not.
 *
 * @param where the function as its user called it, for the error
 * @throws {ConfigError} that names the option, what was expected and what came
 *
 * @example
 * checkOptions('sgd', options, { lr: required(positive), momentum: between(0, 1) })
 */
export function checkOptions<O extends object>(where: string, options: O | undefined, ranges: Ranges<O>): void {
  const given: object = options ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) throw new ConfigError(`${where}: expected an object of options, got ${show(given)}`)
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(ranges, name)) continue
    const known = Object.keys(ranges)
    const expected = known.length === 0 ? 'no options' : `options among ${known.join(', ')}`
    const near = nearest(name, known)
    const guess = near === undefined ? '' : `: did you mean ${near}?`
    throw new ConfigError(`${where}: expected ${expected}, got ${name}; remove or rename it${guess}`)
  }
  // Without a list of the entries: this runs within every call of a convolution or a norm.
  for (const name in ranges) {
    const range: Range = ranges[name]
    const value = (given as Readonly<Record<string, unknown>>)[name]
    if (value === undefined ? !range.required : range.accepts(value)) continue
    throw new ConfigError(`${where}: expected ${name} to be ${range.expected}, got ${show(value)}`)
  }
}

/**
 * The name that somebody meant who wrote another one: the same but for case and underscores, one whose end it is
 * (`num_inference_steps`), or one of two different letters at most.
 */
function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.replaceAll(/[_-]/g, '').toLowerCase()
  const meant = plain(name)
  return known.find((one) => plain(one) === meant) ??
    known.find((one) => one.length > 3 && meant.endsWith(plain(one))) ??
    known.find((one) => distance(meant, plain(one)) <= Math.min(2, one.length / 3))
}

/** Letters to add, leave out or change to make one word another (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, letter] of [...a].entries()) {
    const row = [i + 1]
    for (let j = 0; j < b.length; j++) row.push(Math.min(above[j]! + (letter === b[j] ? 0 : 1), above[j + 1]! + 1, row[j]! + 1))
    above = row
  }
  return above[b.length]!
}

/** An argument that stands alone, checked as an option is. @throws {ConfigError} */
export function checkArgument(where: string, name: string, value: unknown, range: Range): void {
  if (!range.accepts(value)) throw new ConfigError(`${where}: expected ${name} to be ${range.expected}, got ${show(value)}`)
}

/** How a value looks in an error message, at most 80 characters of it. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : typeof value === 'bigint' ? `${value}n` : typeof value === 'object' && value !== null ? described(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** Arrays and plain objects by what they hold, other objects by their class. */
function described(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return `a ${value.constructor.name}`
  try {
    return JSON.stringify(value)
  } catch {
    return Array.isArray(value) ? 'an array' : 'an object'
  }
}
