import { refuseConfig, show } from '../errors.ts'

/** One option of a scheduler: its default, its diffusers name, and what it accepts. */
export interface Field<V> {
  readonly fallback: V
  /** The key in diffusers' scheduler_config.json; options of ours alone have one of that style. */
  readonly key: string
  /** What a valid value is, in words, for the error. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** Values that files of other classes have here, and what they become. */
  readonly aliases?: Readonly<Record<string, V>>
}

/** The options of a scheduler with configuration C. */
export type Fields<C> = { readonly [K in keyof C]-?: Field<C[K]> }

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** A finite number in [low, high]. */
export function numeric(
  key: string,
  fallback: number,
  low: number = -Infinity,
  high: number = Infinity,
): Field<number> {
  return {
    key,
    fallback,
    expected: `a number from ${low} to ${high}`,
    // The default itself may be infinite (no bound).
    accepts: (value) => value === fallback || (isNumber(value) && value >= low && value <= high),
  }
}

/** A whole number ≥ low. */
export function integer(key: string, fallback: number, low: number): Field<number> {
  return {
    key,
    fallback,
    expected: `a whole number of at least ${low}`,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= low,
  }
}

/** A positive number below `high`, or nothing. */
export function optionalNumber(key: string, high: number = Infinity): Field<number | null> {
  return {
    key,
    fallback: null,
    expected: high === Infinity ? 'a positive number' : `a positive number below ${high}`,
    accepts: (value) => isNumber(value) && value > 0 && value < high,
  }
}

/** True or false. */
export function flag(key: string, fallback: boolean): Field<boolean> {
  return { key, fallback, expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
}

/**
 * One of the words.
 * @param aliases words of other diffusers classes, which it replaces by its own when a solver is swapped
 */
export function choice<const W extends string>(
  key: string,
  fallback: NoInfer<W>,
  words: readonly W[],
  aliases: Readonly<Record<string, NoInfer<W>>> = {},
): Field<W> {
  return {
    key,
    fallback,
    aliases,
    expected: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
    accepts: (value) => (words as readonly unknown[]).includes(value),
  }
}

/** A list of numbers in [low, high], or nothing. */
export function optionalNumbers(key: string, low: number, high: number): Field<readonly number[] | null> {
  return {
    key,
    fallback: null,
    expected: `a list of numbers from ${low} to ${high}`,
    accepts: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((x) => isNumber(x) && x >= low && x <= high),
  }
}

/** A list of whole numbers ≥ 0, empty by default. */
export function integers(key: string): Field<readonly number[]> {
  return {
    key,
    fallback: [],
    expected: 'a list of whole numbers of at least 0',
    accepts: (value) => Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0),
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
