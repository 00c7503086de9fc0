import { refuseConfig, show } from '../errors.ts'

/** One option of a scheduler: its default and what it accepts. In diffusers' files it has its name in snake_case. */
export interface Field<V> {
  readonly fallback: V
  /** What a valid value is, in words, for the error. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
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

/** A whole number ≥ low. */
export function integer(fallback: number, low: number): Field<number> {
  return {
    fallback,
    expected: `a whole number of at least ${low}`,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= low,
  }
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

/** A list of numbers in [low, high], or nothing. */
export function optionalNumbers(low: number, high: number): Field<readonly number[] | null> {
  return {
    fallback: null,
    expected: `a list of numbers from ${low} to ${high}`,
    accepts: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((x) => isNumber(x) && x >= low && x <= high),
  }
}

/** A list of whole numbers, empty by default. */
export function integers(): Field<readonly number[]> {
  return {
    fallback: [],
    expected: 'a list of whole numbers',
    accepts: (value) => Array.isArray(value) && value.every(Number.isSafeInteger),
  }
}

/**
 * Fills in defaults and checks every option. `null` and `undefined` mean the default.
 * @throws {ConfigError} on an unknown option or a value out of range
 */
export function resolve<C extends object>(name: string, fields: Fields<C>, options: object): Readonly<C> {
  const given = new Map(Object.entries(options))
  const known = Object.entries(fields) as [string, Field<unknown>][]
  for (const option of given.keys()) {
    if (!Object.hasOwn(fields, option)) {
      const options = known.map(([one]) => one).join(', ')
      refuseConfig(name, `options among ${options}`, show(option), 'remove or rename it')
    }
  }
  const values = known.map(([option, field]): [string, unknown] => {
    const own = given.get(option) ?? field.fallback
    const value = typeof own === 'string' && Object.hasOwn(field.aliases ?? {}, own) ? field.aliases![own] : own
    if (value !== field.fallback && !field.accepts(value)) {
      const advice = `set it so or leave it out (default ${show(field.fallback)})`
      refuseConfig(name, `${option} to be ${field.expected}`, show(value), advice)
    }
    return [option, Array.isArray(value) ? Object.freeze([...value]) : value]
  })
  // Each field of C was filled from its own Field, so the entries make up a C.
  return Object.freeze(Object.fromEntries(values)) as Readonly<C>
}
