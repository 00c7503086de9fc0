import { ConfigError, show } from '../errors.ts'
import type { AnySolver, TrainingProcess } from '../run/index.ts'

/** The entries of a diffusers file. */
export type Entries = ReadonlyMap<string, unknown>

/** Keys that only the files of a process have, by which one of a class that is not here is known. */
const telling: readonly (readonly [TrainingProcess, readonly string[]])[] = [
  ['flow', ['shift', 'base_shift', 'max_shift', 'invert_sigmas', 'stochastic_sampling']],
  ['edm', ['sigma_data']],
]

/** What a flow's file may ask for and a solver by betas lacks, and the values that ask for nothing. */
const flowOnly: Readonly<Record<string, readonly unknown[]>> = {
  use_dynamic_shifting: [false, null],
  time_shift_type: ['exponential', null],
  shift_terminal: [null],
  invert_sigmas: [false, null],
  stochastic_sampling: [false, null],
}

/**
 * The entries of a file as another solver means them. A flow's levels have other keys in files of solvers by betas; a
 * model of one process makes nothing of the levels of another.
 * @param own the solver of the file's class, if it is one of this package's
 * @throws {ConfigError} if the solver is for models of another process, or lacks what the file asks for
 */
export function swapped(file: Entries, own: AnySolver | undefined, chosen: AnySolver): Entries {
  const from = processOf(file, own)
  const to = chosen.process
  if (own === chosen || from === to) return file
  const refuse = (expected: string, got: string, advice: string): never => {
    throw new ConfigError(`fromConfig: expected ${expected}, got ${got}; ${advice}`)
  }
  const flowing = from === 'flow' && (to === 'flow' || 'useFlowSigmas' in chosen.fields())
  if (!flowing) {
    const got = `${chosen.solverName} for a model of ${words[from]}`
    refuse(`a solver for models of ${words[from]}`, got, 'its levels would mean nothing to the model')
  }
  const shift = file.get(own?.process === 'betas' ? 'flow_shift' : 'shift') ?? 1
  const entries = new Map(file)
  if (to === 'flow') return entries.set('shift', shift)
  const options = new Set(Object.keys(chosen.fields()).map((option) => option.toLowerCase()))
  for (const [key, nothing] of Object.entries(flowOnly)) {
    const value = file.get(key)
    const lacks = !options.has(key.replaceAll('_', '')) || key === 'time_shift_type'
    if (lacks && value !== undefined && !nothing.includes(value)) {
      refuse(`${key} to be ${nothing.map(show).join(' or ')} for ${chosen.solverName}`, show(value), 'what it asks for is not supported')
    }
  }
  return entries.set('use_flow_sigmas', true).set('prediction_type', 'flow_prediction').set('flow_shift', shift)
}

const words = {
  betas: 'a table of betas',
  flow: 'a flow',
  edm: "EDM's levels",
  consistency: "a consistency model's levels",
  angles: 'v at angles',
} as const satisfies Record<TrainingProcess, string>

function processOf(file: Entries, own: AnySolver | undefined): TrainingProcess {
  if (file.get('use_flow_sigmas') === true && file.get('prediction_type') === 'flow_prediction') return 'flow'
  return own?.process ?? telling.find(([, keys]) => keys.some((key) => file.has(key)))?.[0] ?? 'betas'
}
