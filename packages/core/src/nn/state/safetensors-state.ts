import type { DType } from '@antipode/kernels-wgsl'
import { CheckpointError } from '../../errors.ts'
import { tensor, tensorFromBytes } from '../../graph/index.ts'
import type { TensorFile, TensorInfo } from '../../io/index.ts'
import { Scratch } from './scratch.ts'
import type { StateSource } from './state-source.ts'

/** As much of an open file as reading parameters takes. */
export interface StateFile extends Pick<TensorFile, 'read' | 'readFloat32'> {
  readonly tensors: ReadonlyMap<string, TensorInfo>
}

const real: readonly DType[] = ['f32', 'f16', 'bf16']
/**
 * What the tensors of a file can be read in. F64, bytes and F8 hold codes that need a scale, or no parameters at all.
 */
const reads: Readonly<Partial<Record<string, readonly DType[]>>> = {
  F32: real, F16: real, BF16: real, I32: ['i32'], U32: ['u32'],
  // Quantised types of GGUF, multiplied out.
  Q4_0: real, Q4_1: real, Q5_0: real, Q5_1: real, Q8_0: real, Q4_K: real, Q5_K: real, Q6_K: real,
}

/** The largest number that rounds to a finite f16: half a unit above 65,504. */
const f16Limit = 65_520

/** An open file as a source. Numbers that are not finite in the file stay so. */
export function safetensorsState(file: StateFile): StateSource {
  const scratch = new Scratch()
  return {
    names: () => file.tensors.keys(),
    info(name) {
      const stored = file.tensors.get(name)
      return stored && { shape: stored.shape, dtype: stored.dtype, reads: reads[stored.dtype] ?? [] }
    },
    async read(name, device, dtype) {
      const stored = file.tensors.get(name)
      const bytes = stored?.byteLength ?? 0
      if (stored?.dtype === dtype.toUpperCase()) {
        return scratch.lend(bytes, async (memory) =>
          tensorFromBytes(device, await file.read(name, memory), stored.shape, dtype))
      }
      const values = await scratch.lend(bytes, (memory) => file.readFloat32(name, memory))
      const large = dtype === 'f16' ? values.find((v) => Number.isFinite(v) && Math.abs(v) >= f16Limit) : undefined
      if (large !== undefined) {
        throw new CheckpointError(
          `load: expected ${name} within ±65504, the range of f16, got ${large}; load it in f32 or bf16`,
        )
      }
      return tensor(device, values, stored?.shape, { dtype, allowNonFinite: true })
    },
  }
}
