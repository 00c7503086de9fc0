import { keyOf } from '../config/index.ts'
import type { Scheduler } from '../run/index.ts'

/** The entries of a diffusers `scheduler_config.json`. */
export type DiffusersConfig = Readonly<Record<string, unknown>>

/**
 * The diffusers `scheduler_config.json` of a scheduler, fit for JSON: `fromConfig` makes the same scheduler of it.
 *
 * `_use_default_values` lists what was never set, so that another solver takes over only what was; entries of the file
 * that the scheduler came from and that its solver has no meaning for are written again. A solver that diffusers lacks
 * is named as this package names it.
 */
export function toConfig({ name, solver, config, source }: Scheduler): DiffusersConfig {
  const unset = Object.keys(config).filter((option) => !source.given.includes(option)).map(keyOf)
  // JSON has no infinities; null says the default, which is where they occur.
  const entries = Object.entries(config).map(([option, value]) => [keyOf(option), writable(value)] as const)
  return {
    ...source.carried,
    _class_name: solver.classNames[0] ?? name,
    ...Object.fromEntries(entries),
    _use_default_values: unset,
  }
}

function writable(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return Array.isArray(value) ? [...value] : value
}
