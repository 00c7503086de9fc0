import { type DType, inBlocks, isFloat } from '@antipode/kernels-wgsl'
import { CheckpointError } from '../../errors.ts'
import { share, type Tensor, tensor, type Backend } from '../../graph/index.ts'
import { safetensorsState, type StateFile } from './safetensors-state.ts'
import { realTypes, type StateInfo, type StateSource } from './state-source.ts'

/** What parameters are loaded from: a source, an open safetensors file, or tensors by name. */
export type Checkpoint = StateSource | StateFile | ReadonlyMap<string, Tensor>

/**
 * The source that a checkpoint is. Tensors of a map stay the caller's: what is read shares their memory, or is a copy.
 */
export function stateOf(checkpoint: Checkpoint): StateSource {
  if (isMap(checkpoint)) return new TensorState(checkpoint)
  return 'readFloat32' in checkpoint ? safetensorsState(checkpoint) : checkpoint
}

export function isMap(checkpoint: Checkpoint): checkpoint is ReadonlyMap<string, Tensor> {
  return checkpoint instanceof Map
}

/** Tensors by name, as a source. */
class TensorState implements StateSource {
  readonly #tensors: ReadonlyMap<string, Tensor>

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.#tensors = tensors
  }

  names(): Iterable<string> {
    return this.#tensors.keys()
  }

  info(name: string): StateInfo | undefined {
    const t = this.#tensors.get(name)
    if (!t) return undefined
    const reads = isFloat(t.dtype) ? realTypes : inBlocks(t.dtype) ? [...new Set([...realTypes, t.dtype])] : [t.dtype]
    return { shape: t.shape, dtype: t.dtype.toUpperCase(), reads }
  }

  async read(name: string, device: Backend, dtype: DType): Promise<Tensor> {
    const own = this.#tensors.get(name)
    if (!own) {
      throw new CheckpointError(
        `load: expected a tensor named ${JSON.stringify(name)}, got ${this.#tensors.size} others`,
      )
    }
    const made = dtype !== own.dtype && inBlocks(dtype)
    const t = made ? tensor(device, await own.data(), own.shape, { dtype }) : own.to(dtype)
    if (t.source.kind !== 'storage') await device.evaluate([t])
    return t === own ? share(t) : t
  }
}
