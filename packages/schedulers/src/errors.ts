/** A call that a scheduler cannot answer: a step past the end, missing noise, timesteps out of range. */
export class SchedulerError extends RangeError {
  override name = 'SchedulerError'
}

/** A configuration that no scheduler of this package has: an unknown class, option or value. */
export class ConfigError extends SchedulerError {
  override name = 'ConfigError'
}

/** Throws a SchedulerError: what was expected where, what came, and what to do. */
export function refuse(where: string, expected: string, got: string, advice: string): never {
  throw new SchedulerError(`${where}: expected ${expected}, got ${got}; ${advice}`)
}

/** Throws a ConfigError: which options of a solver were expected, what came, and what to do. */
export function refuseConfig(where: string, expected: string, got: string, advice: string): never {
  throw new ConfigError(`${where}: expected ${expected}, got ${got}; ${advice}`)
}

/** How a value looks in an error message, at most 80 characters of it. */
export function show(value: unknown): string {
  const plain = typeof value === 'object' ? described(value) : String(value)
  const text = typeof value === 'string' ? `'${value}'` : plain
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

/** JSON, but for what holds itself, or is nested deeper than the stack is high. */
function described(value: object | null): string {
  try {
    return JSON.stringify(value)
  } catch {
    return Array.isArray(value) ? 'an array' : 'an object'
  }
}
