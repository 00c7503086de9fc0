import type { StateSource } from '@antipode/core/nn'
import type { LoadProgress } from './checkpoint.ts'

/** A source that tells how much of it has been read. */
export function watched(
  source: StateSource,
  component: string,
  onProgress: (progress: LoadProgress) => void,
): StateSource {
  const sizeOf = (name: string): number => {
    const info = source.info(name)
    // Buffers of whole numbers, as old files have them, are no weights and never read.
    return info && info.reads.length > 0 ? info.shape.reduce((n, size) => n * size, 1) : 0
  }
  const total = [...source.names()].reduce((sum, name) => sum + sizeOf(name), 0)
  let read = 0
  return {
    names: () => source.names(),
    info: (name) => source.info(name),
    async read(name, device, dtype) {
      const tensor = await source.read(name, device, dtype)
      read += sizeOf(name)
      onProgress({ component, read, total })
      return tensor
    },
  }
}
