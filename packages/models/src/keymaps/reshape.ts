import { CheckpointError } from '@antipode/core'
import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { computed, entriesOf, sourceOf } from './entries.ts'

/**
 * A checkpoint some tensors of which have other shapes, such as linear layers that were stored as convolutions of 1×1.
 * @param to the shape of a tensor by its name and the shape that it is stored in
 * @throws {CheckpointError} if a shape has another number of elements
 */
export function reshape(
  checkpoint: Checkpoint,
  to: (name: string, shape: readonly number[]) => readonly number[],
): StateSource {
  return sourceOf('reshape', entriesOf(checkpoint).map((entry) => {
    const { name, info } = entry
    const shape = to(name, info.shape)
    if (shape.join() === info.shape.join()) return entry
    if (sizeOf(shape) !== sizeOf(info.shape)) {
      throw new CheckpointError(`reshape: expected [${info.shape}] of ${name} in a shape of as many elements, got [${shape}]`)
    }
    return {
      name,
      info: { ...info, shape },
      read: (device, dtype) => computed([entry], device, dtype, ([t]) => t!.reshape(shape)),
    }
  }))
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, side) => size * side, 1)
}
