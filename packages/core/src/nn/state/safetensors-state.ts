import { type DType, inBlocks, largestInBlocks } from '@antipode/kernels-wgsl'
import { CheckpointError } from '../../errors.ts'
import { tensor, tensorFromBytes } from '../../graph/index.ts'
import type { TensorFile, TensorInfo } from '../../io/index.ts'
import { Scratch } from './scratch.ts'
import { realTypes, type StateSource, storedBlocks } from './state-source.ts'

/** As much of an open file as reading parameters takes. */
export interface StateFile extends Pick<TensorFile, 'read' | 'readFloat32'> {
  readonly tensors: ReadonlyMap<string, TensorInfo>
}

/**
 * What the tensors of a file can be read in. F64, bytes and F8 hold codes that need a scale, or no parameters at all.
 */
const reads: Readonly<Partial<Record<string, readonly DType[]>>> = {
  F32: realTypes, F16: realTypes, BF16: realTypes, I32: ['i32'], U32: ['u32'],
}

/** The largest number that rounds to a finite f16: half a unit above 65,504. */
const f16Limit = 65_520

/** The first number that a type does not hold. Blocks have one scale, which a number that is not finite would take from all. */
function unheld(values: Float32Array, dtype: DType): number | undefined {
  if (dtype === 'f16') return values.find((v) => Number.isFinite(v) && Math.abs(v) >= f16Limit)
  const limit = inBlocks(dtype) ? largestInBlocks(dtype) : Infinity
  return limit === Infinity ? undefined : values.find((v) => !(Math.abs(v) < limit))
}

/** An open file as a source. Numbers that are not finite in the file stay so. */
export function safetensorsState(file: StateFile): StateSource {
  const scratch = new Scratch()
  return {
    names: () => file.tensors.keys(),
    info(name) {
      const stored = file.tensors.get(name)
      if (!stored) return undefined
      const blocks = storedBlocks(stored)
      // Blocks come as they are, or multiplied out.
      const types = blocks ? [...new Set([...realTypes, blocks])] : reads[stored.dtype] ?? []
      return { shape: stored.shape, dtype: stored.dtype, reads: types }
    },
    async read(name, device, dtype) {
      const stored = file.tensors.get(name)
      const bytes = stored?.byteLength ?? 0
      if (stored?.dtype === dtype.toUpperCase()) {
        return scratch.lend(bytes, async (memory) =>
          tensorFromBytes(device, await file.read(name, memory), stored.shape, dtype))
      }
      const values = await scratch.lend(bytes, (memory) => file.readFloat32(name, memory))
      const large = unheld(values, dtype)
      if (large !== undefined) {
        const range = dtype === 'f16' ? 'within ±65504, the range of f16' : `to have numbers that ${dtype} holds`
        throw new CheckpointError(`load: expected ${name} ${range}, got ${large}; load it in f32 or bf16`)
      }
      return tensor(device, values, stored?.shape, { dtype, allowNonFinite: true })
    },
  }
}
