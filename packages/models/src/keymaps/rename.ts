import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { entriesOf, sourceOf } from './entries.ts'

/**
 * A checkpoint under other names.
 * @param to the new name of each tensor, or undefined to leave it out
 * @throws {CheckpointError} if two tensors get one name
 * @example
 * await unet.load(rename(file, (name) => name.replace(/^model\./, '')))
 */
export function rename(checkpoint: Checkpoint, to: (name: string) => string | undefined): StateSource {
  return sourceOf('rename', entriesOf(checkpoint).flatMap((entry) => {
    const name = to(entry.name)
    return name === undefined ? [] : [{ ...entry, name }]
  }))
}
