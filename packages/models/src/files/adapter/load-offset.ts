import { CheckpointError, type DType, type Tensor } from '@antipode/core'
import {
  Adaptable, type Checkpoint, checkFit, type Module, setAdapter, stateOf, type StateSource,
} from '@antipode/core/nn'
import { abortSignal, checkOptions, oneOf, required, text } from '@antipode/core/options'
import { refuseOtherWeights } from './other-files.ts'
import { layersOf } from './places.ts'

/** Options of {@link loadOffset}. */
export interface LoadOffsetOptions {
  /** What the adapter is called on the model; one of that name is replaced. */
  readonly name: string
  /**
   * Element type that differences are kept in; that of the model by default. A difference of two numbers in half
   * precision that are near each other is exact there.
   */
  readonly dtype?: DType
  /** Aborts between tensors; the model stays as it was. */
  readonly signal?: AbortSignal
}

/**
 * Puts what a whole checkpoint adds to a model on it as an adapter: η = θ_file − θ of weights, biases and norms, so
 * that at weight 1 the model is the checkpoint's, and other weights and negative ones are as of any adapter.
 * Diffusion-DPO's models are published so. Tensors are read one after the other and subtracted in float32; layers that the file leaves
 * as they are carry nothing.
 *
 * @param checkpoint the weights of the same architecture under the model's names: an open file, a source, a key map
 * around one, or tensors by name
 * @throws {CheckpointError} if names and shapes are not the model's, a parameter differs that cannot carry a change, or
 * nothing differs
 * @throws {ConfigError} on an option that is unknown or out of its range
 * @example
 * await loadOffset(unet, await readSafetensors('dpo-unet.safetensors'), { name: 'dpo' })
 */
export async function loadOffset(model: Module, checkpoint: Checkpoint, options: LoadOffsetOptions): Promise<void> {
  checkOptions('loadOffset', options, {
    name: required(text), dtype: oneOf('f32', 'f16', 'bf16'), signal: abortSignal,
  })
  const { name, dtype = model.dtype, signal } = options
  const source = stateOf(checkpoint)
  const parts = partsOf(model)
  refuseOtherWeights(source, model)
  checkFit(new Map([...parts].map(([key, { base }]) => [key, { shape: base.shape, dtype: 'f32' }])), source, true)
  const differences = new Map<string, Tensor>()
  try {
    const kept = new Set<string>()
    for (const [key, { base }] of parts) {
      signal?.throwIfAborted()
      const difference = await differenceOf(source, key, base, dtype)
      differences.set(key, difference)
      if (await largest(difference) !== 0) kept.add(key)
    }
    checkCarriers(parts, kept)
    const carriers = new Set([...kept].map((key) => parts.get(key)?.layer))
    const tensors = new Map<string, Tensor>()
    for (const [key, { layer, as }] of parts) {
      const difference = differences.get(key) as Tensor // of every part
      // A change has the difference of the weight, also where the bias alone is another.
      if (as !== undefined && carriers.has(layer) && (kept.has(key) || as.endsWith('diff'))) tensors.set(as, difference)
      else difference.dispose()
    }
    setAdapter(model, name, tensors)
  } catch (error) {
    for (const t of differences.values()) t.dispose()
    throw error
  }
}

/** One parameter: as the model has it, and what its difference is called. */
interface OffsetPart {
  readonly base: Tensor
  /** The layer that it belongs to; undefined where it cannot carry a change. */
  readonly layer: string | undefined
  readonly as: string | undefined
}

/** Weights and biases of all layers that can carry changes, and every other parameter, by name. */
function partsOf(model: Module): Map<string, OffsetPart> {
  const layers = layersOf(model)
  const parts = new Map<string, OffsetPart>()
  for (const [name, module] of model.namedModules()) {
    if (module instanceof Adaptable) {
      const at = (key: string): string => (name === '' ? key : `${name}.${key}`)
      parts.set(at('weight'), { base: module.plainWeight(), layer: name, as: at('diff') })
      if (module.bias) parts.set(at('bias'), { base: module.bias, layer: name, as: at('diff_b') })
    }
  }
  for (const [name, base] of model.namedParameters()) {
    const owner = name.includes('.') ? name.replace(/\.[^.]+$/, '') : ''
    if (!layers.has(owner) && !parts.has(name)) parts.set(name, { base, layer: undefined, as: undefined })
  }
  return parts
}

/** file − base, subtracted in float32. */
async function differenceOf(source: StateSource, name: string, base: Tensor, dtype: DType): Promise<Tensor> {
  using stored = await source.read(name, base.device, 'f32')
  const difference = stored.sub(base.to('f32')).to(dtype)
  await base.device.evaluate([difference])
  return difference
}

async function largest(difference: Tensor): Promise<number> {
  using size = difference.to('f32').abs().max()
  return await size.item() // without the await, it would be disposed first
}

function checkCarriers(parts: ReadonlyMap<string, OffsetPart>, kept: ReadonlySet<string>): void {
  if (kept.size === 0) throw new CheckpointError('loadOffset: expected weights other than the model has, got the same')
  const odd = [...kept].filter((key) => parts.get(key)?.layer === undefined)
  if (odd.length === 0) return
  throw new CheckpointError(
    `loadOffset: expected ${odd.join(', ')} to be as the model has it, as it cannot carry a change, got another; ` +
      'load the file as a model of its own',
  )
}
