import { ddim, ddimFields } from './ddim.ts'
import { ddpm, ddpmFields } from './ddpm.ts'
import { dpmFields, dpmSolverMultistep } from './dpm-solver-multistep.ts'
import { ConfigError } from './errors.ts'
import { euler, eulerFields } from './euler.ts'
import { show, type Field } from './fields.ts'
import type { Scheduler, SolverName } from './scheduler.ts'

const classes: Readonly<Record<string, SolverName>> = {
  DDPMScheduler: 'ddpm',
  DDIMScheduler: 'ddim',
  EulerDiscreteScheduler: 'euler',
  DPMSolverMultistepScheduler: 'dpmSolverMultistep',
}

const solvers: Readonly<Record<SolverName, { fields: object; make: (options: object) => Scheduler }>> = {
  ddpm: { fields: ddpmFields, make: ddpm },
  ddim: { fields: ddimFields, make: ddim },
  euler: { fields: eulerFields, make: euler },
  dpmSolverMultistep: { fields: dpmFields, make: dpmSolverMultistep },
}

/** Keys that files of other diffusers schedulers carry along and that mean nothing to these solvers. */
const elsewhere: ReadonlySet<string> = new Set([
  'skip_prk_steps',
  'time_shift_type',
  'original_inference_steps',
  'timestep_scaling',
  'solver_p',
  'predict_x0',
  'disable_corrector',
  'predictor_order',
  'corrector_order',
  ...Object.values(solvers).flatMap(({ fields }) => Object.values(fields).map((field: Field<unknown>) => field.key)),
].filter((key) => key !== null))

/** Keys whose meaning these solvers lack: only the values that switch them off are accepted. */
const unsupported: Readonly<Record<string, readonly unknown[]>> = {
  variance_type: ['fixed_small', 'fixed_small_log', 'fixed_large', null],
  use_dynamic_shifting: [false, null],
  invert_sigmas: [false, null],
  shift_terminal: [null],
}

/**
 * A scheduler from a diffusers `scheduler_config.json`.
 *
 * With `solver`, another solver takes over the file's noise schedule, as diffusers' `from_config` does: values that the
 * file lists as its own class's defaults are left to the new solver's defaults, and options that it lacks are dropped.
 * @param config the file's text (Python's bare `-Infinity` and `NaN` included) or the object that it holds
 * @param options `solver`: the solver to make instead of the one that `_class_name` says
 * @throws {ConfigError} on text that is no JSON object, an unknown class, key or value
 */
export function fromConfig(config: string | object, options: { solver?: SolverName } = {}): Scheduler {
  const entries = Object.entries(typeof config === 'string' ? parse(config) : config)
  const given = new Map<string, unknown>(entries)
  const own = solverOf(given.get('_class_name'), options.solver)
  const solver = options.solver ?? own
  const chosen = solver !== undefined && Object.hasOwn(solvers, solver) ? solvers[solver] : undefined
  if (chosen === undefined) {
    throw new ConfigError(
      `fromConfig: expected solver to be one of ${Object.keys(solvers).join(', ')}, got ${show(solver)}; choose one`,
    )
  }
  const defaults = solver === own ? [] : (given.get('_use_default_values') ?? [])
  const dropped = new Set<unknown>(Array.isArray(defaults) ? defaults : [])
  const fields: [string, Field<unknown>][] = Object.entries(chosen.fields)
  const names = new Map(fields.map(([name, field]) => [field.key, name]))

  const read: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    if (key.startsWith('_') || dropped.has(key)) continue
    const accepted = unsupported[key]
    if (accepted !== undefined && !accepted.includes(value)) {
      throw new ConfigError(
        `fromConfig: expected ${key} to be ${accepted.map(show).join(' or ')}, got ${show(value)}; ` +
          'what it asks for is not supported',
      )
    }
    const name = names.get(key)
    if (name !== undefined) read[name] = value
    else if (!elsewhere.has(key) && accepted === undefined) {
      throw new ConfigError(`fromConfig: expected keys of diffusers' schedulers, got '${key}'; remove or correct it`)
    }
  }
  return chosen.make(read)
}

function solverOf(className: unknown, instead: SolverName | undefined): SolverName | undefined {
  if (typeof className === 'string' && Object.hasOwn(classes, className)) return classes[className]
  if (instead !== undefined) return undefined
  throw new ConfigError(
    `fromConfig: expected _class_name to be one of ${Object.keys(classes).join(', ')}, got ${show(className)}; ` +
      "choose a solver by fromConfig(config, { solver: 'ddim' })",
  )
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
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new ConfigError(`fromConfig: expected a JSON object, got ${show(value)}; check the file`)
}
