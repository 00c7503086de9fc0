import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { computed, computedInfo, entriesOf, sourceOf } from './entries.ts'

/**
 * A checkpoint the last two axes of some tensors of which are swapped: programs that multiply from the other side, such
 * as JAX's and TensorFlow's, keep `[in, out]` where PyTorch keeps `[out, in]`. Tensors of fewer axes stay as they are.
 * @param which names of the tensors to turn
 */
export function transpose(checkpoint: Checkpoint, which: (name: string) => boolean): StateSource {
  return sourceOf('transpose', entriesOf(checkpoint).map((entry) => {
    const { name, info } = entry
    if (info.shape.length < 2 || !which(name)) return entry
    const [rows = 0, columns = 0] = info.shape.slice(-2)
    return {
      name,
      info: computedInfo(info, [...info.shape.slice(0, -2), columns, rows]),
      read: (device, dtype) => computed([entry], device, dtype, ([t]) => t!.transpose()),
    }
  }))
}
