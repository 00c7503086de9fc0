import { CheckpointError, type Tensor, tensor, type Backend } from '@antipode/core'
import { readSafetensors, type SafetensorsFile, type StreamedSafetensorsEntry, writeSafetensors } from '@antipode/core/io'
import type { LossScalerState, Optimizer } from '@antipode/core/optim'
import { checkFinite } from './finite.ts'
import type { RunState } from './run-state.ts'
import type { WatchState } from './watch.ts'

/** Where and how often a run is saved. */
export interface CheckpointOptions {
  /** A safetensors file; it is replaced atomically, so a crash leaves the earlier one. Its folder must exist. */
  readonly path: string
  /** Steps between saves. */
  readonly every: number
  /** What is being trained, in any words: a file of another recipe is refused rather than continued. */
  readonly recipe: string
}

/** The second has digests; a file of the first cannot be told from a damaged one. */
const format = 'antipode-run-2'
const metadataKeys = ['emaStep', 'format', 'optimizerStep', 'recipe', 'sha256', 'step'] as const
/** Of runs that have such, as JSON. */
const furtherKeys = ['lossScaler', 'watch'] as const
const kinds: readonly string[] = ['parameter', 'optimizer', 'ema']

/**
 * Saves a run after `step` steps: parameters, optimiser and average in f32, bit for bit, with the SHA-256 of each.
 * @throws {CheckpointError} if the file cannot be written; an earlier one is then as it was
 * @throws {NumericError} if any of it is not finite; an earlier file is then as it was
 */
export async function saveRun(
  state: RunState,
  step: number,
  { path, recipe }: Pick<CheckpointOptions, 'path' | 'recipe'>,
): Promise<void> {
  await checkFinite('saveRun', state)
  const { parameters, optimizer, ema, lossScaler, watch } = state
  const entries: StreamedSafetensorsEntry[] = []
  const add = (prefix: string, tensors: ReadonlyMap<string, Tensor>): void => {
    for (const [name, t] of tensors) {
      entries.push({ name: `${prefix}.${name}`, dtype: 'F32', shape: t.shape, data: () => t.data() })
    }
  }
  add('parameter', parameters)
  add('optimizer', optimizer.state().tensors)
  if (ema) add('ema', ema.state().tensors)
  const remembered = JSON.stringify(watch?.state() ?? {})
  await writeSafetensors(path, entries, {
    digest: true,
    metadata: {
      format, recipe, step: `${step}`, optimizerStep: `${optimizer.step}`, emaStep: `${ema?.step ?? 0}`,
      ...(lossScaler ? { lossScaler: JSON.stringify(lossScaler.state()) } : {}),
      ...(remembered === '{}' ? {} : { watch: remembered }),
    },
  })
}

/**
 * Continues a saved run: overwrites parameters, optimiser and average in place, and gives the number of steps made.
 * Nothing is changed unless the whole file fits and is, to the bit, what {@link saveRun} wrote.
 * @param options.steps the most the run may have made, any number by default
 * @throws {CheckpointError} if the file is no run, is damaged, is of another recipe, optimiser or other parameters, or has
 * made more steps
 */
export async function loadRun(
  device: Backend,
  { parameters, optimizer, ema, lossScaler, watch }: RunState,
  { path, recipe, steps = Infinity }: Pick<CheckpointOptions, 'path' | 'recipe'> & { readonly steps?: number },
): Promise<number> {
  await checkFormat(path)
  await using file = await readSafetensors(path, { verify: true })
  const counts = checkedSteps(path, recipe, file.metadata)
  if (counts.step > steps) {
    throw new CheckpointError(`resume: expected a run of up to ${steps} steps in ${path}, got one of ${counts.step}; raise steps`)
  }
  checkNames(path, file.tensors, parameters, ema !== undefined && counts.step > 0)
  const further = furtherOf(path, file.metadata)
  if (lossScaler && counts.step > 0 && !further.lossScaler) {
    throw new CheckpointError(`resume: ${path}: expected a loss scale, got none; train without lossScaler, as it was begun`)
  }
  // Reading verifies: what is damaged must show before anything is overwritten.
  for await (const _ of file.stream());
  const load = async (kind: string, step: number, into: Pick<Optimizer, 'load'> | undefined): Promise<void> => {
    const tensors = new Map<string, Tensor>()
    try {
      for (const [name, { shape }] of file.tensors) {
        if (kindOf(name) !== kind) continue
        tensors.set(keyOf(name), tensor(device, await file.readFloat32(name), shape, { allowNonFinite: true }))
      }
      into?.load({ step, tensors })
    } catch (error) {
      for (const t of tensors.values()) t.dispose()
      throw error
    }
  }
  if (further.lossScaler) lossScaler?.load(further.lossScaler as LossScalerState)
  if (further.watch) watch?.load(further.watch as WatchState)
  // The optimiser refuses the state of another kind, so it comes before anything is overwritten.
  await load('optimizer', counts.optimizerStep, optimizer)
  await load('ema', counts.emaStep, ema)
  for (const [name, parameter] of parameters) parameter.write(await file.readFloat32(`parameter.${name}`), { allowNonFinite: true })
  return counts.step
}

const kindOf = (name: string): string => name.slice(0, name.indexOf('.'))
const keyOf = (name: string): string => name.slice(name.indexOf('.') + 1)

/** Says of another file, or of a run of another version, that it is one, rather than that its digests are missing. */
async function checkFormat(path: string): Promise<void> {
  await using file = await readSafetensors(path)
  const found = file.metadata['format'] ?? ''
  if (found === format) return
  const got = found.startsWith('antipode-run-') ? `one of another version, ${found}; start afresh, or resume with the version that wrote it` : 'another file; choose another path'
  throw new CheckpointError(`resume: expected a training run in ${path}, got ${got}`)
}

function checkedSteps(
  path: string,
  recipe: string,
  metadata: Readonly<Record<string, string>>,
): Readonly<Record<'step' | 'optimizerStep' | 'emaStep', number>> {
  const keys = Object.keys(metadata).filter((key) => !(furtherKeys as readonly string[]).includes(key)).sort().join(', ')
  if (keys !== metadataKeys.join(', ')) {
    throw new CheckpointError(`resume: ${path}: expected ${metadataKeys.join(', ')} as metadata, got ${keys}; start afresh`)
  }
  if (metadata['recipe'] !== recipe) {
    throw new CheckpointError(
      `resume: ${path} holds a run of another recipe\n  expected ${recipe}\n  got ${metadata['recipe']}\n` +
        'start afresh or choose another path',
    )
  }
  const count = (key: string): number => {
    const text = metadata[key] ?? ''
    const value = Number(text)
    if (/^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value)) return value
    throw new CheckpointError(`resume: ${path}: expected a whole ${key}, got ${metadata[key]}; start afresh`)
  }
  return { step: count('step'), optimizerStep: count('optimizerStep'), emaStep: count('emaStep') }
}

/** What else a run of its kind keeps, not yet looked at. */
function furtherOf(path: string, metadata: Readonly<Record<string, string>>): Partial<Record<typeof furtherKeys[number], object>> {
  return Object.fromEntries(furtherKeys.flatMap((key) => {
    const text = metadata[key]
    if (text === undefined) return []
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'object' && value !== null) return [[key, value]]
    } catch (cause) {
      throw new CheckpointError(`resume: ${path}: expected JSON as ${key}, got ${text}; start afresh`, { cause })
    }
    throw new CheckpointError(`resume: ${path}: expected an object as ${key}, got ${text}; start afresh`)
  }))
}

/** Every parameter is there in its shape, everything else belongs to one, and averages are there exactly if wanted. */
function checkNames(
  path: string,
  tensors: SafetensorsFile['tensors'],
  parameters: ReadonlyMap<string, Tensor>,
  averaged: boolean,
): void {
  const refuse = (expected: string, got: string): never => {
    throw new CheckpointError(`resume: ${path}: expected ${expected}, got ${got}; train the model it was made with`)
  }
  const missing = [...parameters.keys()].filter((name) => !tensors.has(`parameter.${name}`))
  if (missing.length > 0) refuse(`all ${parameters.size} parameters`, `all but ${missing.length}, such as ${missing[0]}`)
  for (const [name, { dtype, shape }] of tensors) {
    if (dtype !== 'F32') refuse(`${name} in F32`, dtype)
    const kind = kindOf(name)
    const key = keyOf(name)
    // State is named `<parameter>.<slot>`.
    const parameter = parameters.get(kind === 'parameter' ? key : key.slice(0, key.lastIndexOf('.')))
    if (!parameter || !kinds.includes(kind)) refuse('only tensors of this run', name)
    else if (parameter.shape.join() !== shape.join()) refuse(`${name} [${parameter.shape.join()}]`, `[${shape.join()}]`)
  }
  const kept = [...tensors.keys()].some((name) => kindOf(name) === 'ema')
  if (kept !== averaged) refuse(averaged ? 'averages' : 'no averages', kept ? 'some' : 'none')
}
