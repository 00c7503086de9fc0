import { checkNames, keyOf } from '../config/index.ts'
import { ConfigError, show } from '../errors.ts'
import type { AnySolver, Scheduler } from '../run/index.ts'
import { allSolvers } from './all-solvers.ts'
import { swapped } from './swap.ts'

/** Options of {@link fromConfig}. */
export interface FromConfigOptions {
  /** The solver to make instead of the one that `_class_name` says: itself, its name, or its diffusers class. */
  readonly solver?: AnySolver | ((options?: never) => Scheduler) | string
}

/** Keys of diffusers classes that no solver here stands for, and that files carry along from them. */
const elsewhere: readonly string[] = [
  'skip_prk_steps',
  'original_inference_steps',
  'timestep_scaling',
  'predictor_order',
  'corrector_order',
  'tau_func',
  'noise_sampler_seed',
  'snr_shift_scale',
  'lambda_min_clipped',
  'clip_denoised',
  's_noise',
  'sigma_data',
  'sigma_schedule',
  'rho',
  'variance_type',
]

/**
 * A scheduler from a diffusers `scheduler_config.json`.
 *
 * With `solver`, another solver takes over the file's options, as diffusers' `from_config` does: values that the file
 * lists as its own class's defaults are left to the new solver's defaults, and options that it lacks are kept aside for
 * `toConfig`.
 *
 * A flow's file given to a solver that has `useFlowSigmas` keeps its meaning: flow levels, the shift, and a model of
 * ε − x₀. A solver for models of another kind than the file's is refused.
 * @param config the file's text (Python's bare `-Infinity` and `NaN` included) or the object that it holds
 * @throws {ConfigError} on text that is no JSON object, an unknown class, key or value, or a solver for other models
 */
export function fromConfig(config: string | object, options: FromConfigOptions = {}): Scheduler {
  checkNames('fromConfig', options, ['solver'])
  const given = new Map<string, unknown>(Object.entries(typeof config === 'string' ? parse(config) : plainObject(config)))
  const all = allSolvers()
  // A solver may stand outside this package: then it is known only as it is given.
  const outside = isSolver(options.solver) ? [options.solver] : []
  const own = [...all, ...outside].find((solver) => answersTo(solver, given.get('_class_name')))
  const chosen = options.solver === undefined ? own : outside[0] ?? all.find((one) => answersTo(one, options.solver))
  if (chosen === undefined) throw unknownSolver(all, given.get('_class_name'), options.solver)

  const unset = given.get('_use_default_values')
  const unsetKeys = new Set<unknown>(Array.isArray(unset) ? unset : [])
  const file = swapped(given, own, chosen)
  for (const [key, value] of file) if (given.get(key) !== value) unsetKeys.delete(key)
  const names = new Map(Object.keys(chosen.fields()).map((option) => [keyOf(option), option]))
  const known = new Set([...elsewhere, ...all.flatMap(keysOf)])
  const read: Record<string, unknown> = {}
  const carried: Record<string, unknown> = {}
  for (const [key, value] of file) {
    if (key.startsWith('_') || (unsetKeys.has(key) && chosen !== own)) continue
    const option = names.get(key)
    const accepted = Object.hasOwn(chosen.refused, key) ? chosen.refused[key] : undefined
    if (option === undefined && accepted !== undefined && !accepted.includes(value)) {
      throw new ConfigError(
        `fromConfig: expected ${key} to be ${accepted.map(show).join(' or ')}, got ${show(value)}; ` +
          'what it asks for is not supported',
      )
    }
    if (option === undefined && !known.has(key)) {
      throw new ConfigError(`fromConfig: expected keys of diffusers' schedulers, got '${key}'; remove or correct it`)
    }
    if (option === undefined) carried[key] = value
    else read[option] = value
  }
  const set = [...names].filter(([key]) => file.has(key) && !unsetKeys.has(key)).map(([, option]) => option)
  return chosen(read, { given: set, carried })
}

function isSolver(value: unknown): value is AnySolver {
  return typeof value === 'function' && 'solverName' in value && 'classNames' in value && 'fields' in value && 'refused' in value
}

function answersTo(solver: AnySolver, name: unknown): boolean {
  return typeof name === 'string' && (solver.solverName === name || solver.classNames.includes(name))
}

function keysOf(solver: AnySolver): string[] {
  return [...Object.keys(solver.fields()).map(keyOf), ...Object.keys(solver.refused)]
}

function unknownSolver(all: readonly AnySolver[], className: unknown, instead: FromConfigOptions['solver']): ConfigError {
  if (instead === undefined) {
    const classes = all.flatMap((solver) => solver.classNames).join(', ')
    return new ConfigError(
      `fromConfig: expected _class_name to be one of ${classes}, got ${show(className)}; ` +
        'choose a solver by fromConfig(config, { solver: ddim })',
    )
  }
  const names = all.map((solver) => solver.solverName).join(', ')
  const got = typeof instead === 'string' ? show(instead) : 'another function'
  return new ConfigError(`fromConfig: expected solver to be one of ${names}, got ${got}; choose one`)
}

function parse(text: string): object {
  let value: unknown
  try {
    // Python writes infinities bare, which JSON has no word for; null means the default, which is what they say here.
    value = JSON.parse(text.replaceAll(/(:\s*)(?:-?Infinity|NaN)(?=\s*[,}])/g, '$1null'))
  } catch (cause) {
    const message = 'fromConfig: expected the text of a JSON object, got text that does not parse; check the file'
    throw new ConfigError(message, { cause })
  }
  return plainObject(value)
}

function plainObject(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new ConfigError(`fromConfig: expected a JSON object, got ${show(value)}; check the file`)
}
