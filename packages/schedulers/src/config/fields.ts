import { refuseConfig, show } from '../errors.ts'

/** One option of a scheduler: its default and what it accepts. In diffusers' files it has its name in snake_case. */
export interface Field<V> {
  readonly fallback: V
  /** What a valid value is, in words, for the error. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** Whether it must be given. */
  readonly required?: boolean
  /** Values that files of other classes have here, and what they become. */
  readonly aliases?: Readonly<Record<string, V>>
}

/** The options of a scheduler with configuration C. */
export type Fields<C> = { readonly [K in keyof C]-?: Field<C[K]> }

/** The key of an option in diffusers' scheduler_config.json: useKarrasSigmas is use_karras_sigmas there. */
export function keyOf(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** A finite number in [low, high]. */
export function numeric(
  fallback: number,
  low: number = -Infinity,
  high: number = Infinity,
): Field<number> {
  return {
    fallback,
    expected: `a number from ${low} to ${high}`,
    // The default itself may be infinite (no bound).
    accepts: (value) => value === fallback || (isNumber(value) && value >= low && value <= high),
  }
}

/** A finite number above 0. */
export function positive(fallback: number): Field<number> {
  return { fallback, expected: 'a finite number above 0', accepts: (value) => isNumber(value) && value > 0 }
}

/** A whole number in [low, high]. */
export function integer(fallback: number, low: number, high: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return {
    fallback,
    expected: high === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${low}` : `a whole number from ${low} to ${high}`,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high,
  }
}

/** A finite number in [low, high). */
export function below(fallback: number, low: number, high: number): Field<number> {
  return {
    fallback,
    expected: `a number from ${low}, below ${high}`,
    accepts: (value) => isNumber(value) && value >= low && value < high,
  }
}

/** An option that has no default: one that must be given. */
export function required<V>(field: Field<V>): Field<V> {
  return { ...field, required: true }
}

/** A positive number below `high`, or nothing. */
export function optionalNumber(high: number = Infinity): Field<number | null> {
  return {
    fallback: null,
    expected: high === Infinity ? 'a positive number' : `a positive number below ${high}`,
    accepts: (value) => isNumber(value) && value > 0 && value < high,
  }
}

/** True or false. */
export function flag(fallback: boolean): Field<boolean> {
  return { fallback, expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
}

/**
 * One of the words.
 * @param aliases words of other diffusers classes, which it replaces by its own when a solver is swapped
 */
export function choice<const W extends string>(
  fallback: NoInfer<W>,
  words: readonly W[],
  aliases: Readonly<Record<string, NoInfer<W>>> = {},
): Field<W> {
  return {
    fallback,
    aliases,
    expected: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
    accepts: (value) => (words as readonly unknown[]).includes(value),
  }
}

/** A list of numbers in [low, high), not empty and of at most `most`, or nothing. */
export function optionalNumbers(low: number, high: number, most: number): Field<readonly number[] | null> {
  return {
    fallback: null,
    expected: `a list of 1 to ${most} numbers from ${low}, below ${high}`,
    accepts: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= most &&
      value.every((x) => isNumber(x) && x >= low && x < high),
  }
}

/** A list of whole numbers from 0, empty by default. */
export function integers(): Field<readonly number[]> {
  return {
    fallback: [],
    expected: 'a list of whole numbers from 0',
    accepts: (value) => Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0),
  }
}

/** Throws unless the options are an object of known names: JavaScript passes anything. @throws {ConfigError} */
export function checkNames(name: string, options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    refuseConfig(name, 'an object of options', show(options), 'pass { … }')
  }
  const strange = Object.keys(options).find((option) => !known.includes(option))
  if (strange === undefined) return
  refuseConfig(name, known.length === 0 ? 'no options' : `options among ${known.join(', ')}`, show(strange), 'remove or rename it')
}

/**
 * Fills in defaults and checks every option. `null` and `undefined` mean the default.
 * @throws {ConfigError} on an unknown option or a value out of range
 */
export function resolve<C extends object>(name: string, fields: Fields<C>, options: unknown): Readonly<C> {
  checkNames(name, options, Object.keys(fields))
  const given = new Map<string, unknown>(Object.entries(options))
  const known = Object.entries(fields) as [string, Field<unknown>][]
  const values = known.map(([option, field]): [string, unknown] => {
    const own = given.get(option) ?? field.fallback
    const value = typeof own === 'string' && Object.hasOwn(field.aliases ?? {}, own) ? field.aliases![own] : own
    if (field.required === true && (given.get(option) ?? undefined) === undefined) refuseConfig(name, `${option} to be ${field.expected}`, 'none', 'pass it')
    if (value !== field.fallback && !field.accepts(value)) {
      const advice = `set it so or leave it out (default ${show(field.fallback)})`
      refuseConfig(name, `${option} to be ${field.expected}`, show(value), advice)
    }
    return [option, Array.isArray(value) ? Object.freeze([...value]) : value]
  })
  // Each field of C was filled from its own Field, so the entries make up a C.
  return Object.freeze(Object.fromEntries(values)) as Readonly<C>
}
