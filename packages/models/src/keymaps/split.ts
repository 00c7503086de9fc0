import { CheckpointError } from '@antipode/core'
import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { computed, computedInfo, entriesOf, sourceOf } from './entries.ts'

/**
 * A checkpoint some tensors of which are cut into equal parts along their first axis, such as a layer for queries, keys
 * and values into one for each. The whole tensor is read for each part.
 * @param into the names of the parts in order, or undefined to leave a tensor whole
 * @throws {CheckpointError} if the first axis cannot be cut so, or two tensors get one name
 */
export function split(checkpoint: Checkpoint, into: (name: string) => readonly string[] | undefined): StateSource {
  return sourceOf('split', entriesOf(checkpoint).flatMap((entry) => {
    const names = into(entry.name)
    if (!names) return [entry]
    const [rows = 0, ...rest] = entry.info.shape
    const each = rows / names.length
    if (!Number.isInteger(each)) {
      throw new CheckpointError(
        `split: expected ${entry.name} to have rows for ${names.length} equal parts, got ${rows}`,
      )
    }
    return names.map((name, k) => ({
      name,
      info: computedInfo(entry.info, [each, ...rest]),
      read: (device, dtype) => computed([entry], device, dtype, ([whole]) => whole!.slice(0, k * each, (k + 1) * each)),
    }))
  }))
}
