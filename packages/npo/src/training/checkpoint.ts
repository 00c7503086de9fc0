import { CheckpointError, type Tensor, tensor, type TensorHost } from '@antipode/core'
import { readSafetensors, type StreamedSafetensorsEntry, writeSafetensors } from '@antipode/core/io'
import type { Ema, Optimizer } from '@antipode/core/optim'

/** What a run consists of at a step: everything that the next step depends on, besides the step's number. */
export interface RunState {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly optimizer: Optimizer
  readonly ema?: Ema | undefined
}

/** Where and how often a run is saved. */
export interface CheckpointOptions {
  /** A safetensors file; it is replaced atomically, so a crash leaves the earlier one. */
  readonly path: string
  /** Steps between saves. */
  readonly every: number
  /** What is being trained, in any words: a file of another recipe is refused rather than continued. */
  readonly recipe: string
}

const format = 'antipode-run-1'

/** Saves a run after `step` steps: parameters, optimiser and average in f32, bit for bit. */
export async function saveRun({ parameters, optimizer, ema }: RunState, step: number, { path, recipe }: CheckpointOptions): Promise<void> {
  const entries: StreamedSafetensorsEntry[] = []
  const add = (prefix: string, tensors: ReadonlyMap<string, Tensor>): void => {
    for (const [name, t] of tensors) entries.push({ name: `${prefix}.${name}`, dtype: 'F32', shape: t.shape, data: () => t.data() })
  }
  add('parameter', parameters)
  add('optimizer', optimizer.state().tensors)
  if (ema) add('ema', ema.state().tensors)
  await writeSafetensors(path, entries, {
    metadata: { format, recipe, step: `${step}`, optimizerStep: `${optimizer.step}`, emaStep: `${ema?.step ?? 0}` },
  })
}

/**
 * Continues a saved run: overwrites parameters, optimiser and average in place, and gives the number of steps already made.
 * @throws {CheckpointError} if the file is no run, or of another recipe or other parameters
 */
export async function loadRun(device: TensorHost, { parameters, optimizer, ema }: RunState, { path, recipe }: Pick<CheckpointOptions, 'path' | 'recipe'>): Promise<number> {
  await using file = await readSafetensors(path)
  const { metadata } = file
  if (metadata['format'] !== format) throw new CheckpointError(`resume: expected a training run in ${path}, got another kind of file; choose another path`)
  if (metadata['recipe'] !== recipe) {
    throw new CheckpointError(`resume: ${path} holds a run of another recipe\n  expected ${recipe}\n  got ${metadata['recipe']}\nstart afresh or choose another path`)
  }
  const slots = { optimizer: new Map<string, Tensor>(), ema: new Map<string, Tensor>() }
  const restored = new Set<string>()
  for (const [name, { shape }] of file.tensors) {
    const [kind, ...rest] = name.split('.')
    const key = rest.join('.')
    const values = await file.readFloat32(name)
    if (kind === 'optimizer' || kind === 'ema') slots[kind].set(key, tensor(device, values, shape, { allowNonFinite: true }))
    else {
      const parameter = parameters.get(key)
      if (!parameter || parameter.shape.join() !== shape.join()) throw new CheckpointError(`resume: ${path} has a parameter ${key} [${shape.join()}] that this run has not`)
      parameter.write(values)
      restored.add(key)
    }
  }
  const missing = [...parameters.keys()].filter((k) => !restored.has(k))
  if (missing.length > 0) throw new CheckpointError(`resume: ${path} lacks ${missing.length} parameters, for example ${missing[0]}`)
  optimizer.load({ step: Number(metadata['optimizerStep']), tensors: slots.optimizer })
  ema?.load({ step: Number(metadata['emaStep']), tensors: slots.ema })
  return Number(metadata['step'])
}
