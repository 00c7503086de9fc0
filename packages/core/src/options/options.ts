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
    throw new ConfigError(`${where}: expected ${expected}, got ${name}; remove or rename it`)
  }
  // Without a list of the entries: this runs within every call of a convolution or a norm.
  for (const name in ranges) {
    const range: Range = ranges[name]
    const value = (given as Readonly<Record<string, unknown>>)[name]
    if (value === undefined ? !range.required : range.accepts(value)) continue
    throw new ConfigError(`${where}: expected ${name} to be ${range.expected}, got ${show(value)}`)
  }
}

/** An argument that stands alone, checked as an option is. @throws {ConfigError} */
export function checkArgument(where: string, name: string, value: unknown, range: Range): void {
  if (!range.accepts(value)) throw new ConfigError(`${where}: expected ${name} to be ${range.expected}, got ${show(value)}`)
}

/** How a value looks in an error message, at most 80 characters of it. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : typeof value === 'object' && value !== null ? described(value) : String(value)
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
