import { CheckpointError, type DType, inBlocks, madeBlockTypes, type Tensor, tensor, type Backend } from '@antipode/core'
import { type Checkpoint, type StateInfo, stateOf, type StateSource } from '@antipode/core/nn'

/** One tensor of a source. */
export interface Entry {
  readonly name: string
  readonly info: StateInfo
  read(device: Backend, dtype: DType): Promise<Tensor>
}

/** The tensors of a checkpoint, none of them read. */
export function entriesOf(checkpoint: Checkpoint): Entry[] {
  const source = stateOf(checkpoint)
  return Array.from(source.names(), (name) => ({
    name,
    info: source.info(name) as StateInfo, // it is one of its names
    read: (device, dtype) => source.read(name, device, dtype),
  }))
}

/**
 * A source of given tensors. @param where names the key map in messages @throws {CheckpointError} if two have one name
 */
export function sourceOf(where: string, entries: readonly Entry[]): StateSource {
  const byName = new Map<string, Entry>()
  for (const entry of entries) {
    if (byName.has(entry.name)) {
      throw new CheckpointError(`${where}: expected one tensor for each name, got two for ${entry.name}`)
    }
    byName.set(entry.name, entry)
  }
  return {
    names: () => byName.keys(),
    info: (name) => byName.get(name)?.info,
    async read(name, device, dtype) {
      const entry = byName.get(name)
      if (!entry) {
        throw new CheckpointError(
          `${where}: expected a tensor named ${JSON.stringify(name)}, got ${byName.size} others`,
        )
      }
      return entry.read(device, dtype)
    },
  }
}

/** What is known of a tensor that is computed from others like `info`: blocks of types that only files bring are gone. */
export function computedInfo(info: StateInfo, shape: readonly number[]): StateInfo {
  const made: readonly DType[] = madeBlockTypes
  return { ...info, shape, reads: info.reads.filter((type) => !inBlocks(type) || made.includes(type)) }
}

/** Reads tensors, computes one of them, and frees them. One in blocks is rounded to them afterwards. */
export async function computed(
  parts: readonly Entry[],
  device: Backend,
  dtype: DType,
  compute: (tensors: readonly Tensor[]) => Tensor,
): Promise<Tensor> {
  if (inBlocks(dtype)) {
    using numbers = await computed(parts, device, 'f32', compute)
    return tensor(device, await numbers.data(), numbers.shape, { dtype })
  }
  const tensors: Tensor[] = []
  try {
    for (const part of parts) tensors.push(await part.read(device, dtype))
    const result = compute(tensors)
    await device.evaluate([result])
    return result
  } finally {
    for (const t of tensors) t.dispose()
  }
}
