import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { computed, computedInfo, entriesOf, sourceOf } from './entries.ts'

/**
 * A checkpoint some tensors of which have another shape of as many elements, such as the matrix of a 1×1 convolution.
 * @param to the new shape of a tensor, or undefined to leave it as it is
 * @throws {ShapeError} when a tensor is read whose elements the new shape does not take
 */
export function reshape(
  checkpoint: Checkpoint,
  to: (name: string, shape: readonly number[]) => readonly number[] | undefined,
): StateSource {
  return sourceOf('reshape', entriesOf(checkpoint).map((entry) => {
    const { name, info } = entry
    const shape = to(name, info.shape)
    if (!shape || shape.join() === info.shape.join()) return entry
    return {
      name,
      info: computedInfo(info, shape),
      read: (device, dtype) => computed([entry], device, dtype, ([t]) => t!.reshape(shape)),
    }
  }))
}
