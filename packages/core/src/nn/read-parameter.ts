import { CheckpointError } from '../errors.ts'
import { type Tensor, tensor, tensorFromBytes } from '../graph/index.ts'
import type { SafetensorsFile } from '../io/index.ts'

/** As much of an open safetensors file as reading parameters takes. */
export type StateFile = Pick<SafetensorsFile, 'tensors' | 'read' | 'readFloat32'>

/** What checkpoints keep parameters in. Integers, bytes and F8 hold codes that need a scale, or no weights at all. */
const parameterDTypes: readonly string[] = ['F32', 'F16', 'BF16']

/** Those of some tensors of a file that have a dtype in which no parameters are kept, with it. */
export function unfitDTypes({ tensors }: Pick<StateFile, 'tensors'>, names: Iterable<string>): string[] {
  return [...names].flatMap((name) => {
    const dtype = tensors.get(name)?.dtype
    return dtype === undefined || parameterDTypes.includes(dtype) ? [] : [`${name} (${dtype})`]
  })
}

/** The largest number that rounds to a finite f16: half a unit above 65,504. */
const f16Limit = 65_520

/**
 * One tensor of a file on the device and in the dtype of the parameter it is for. Numbers that are not finite in the file stay so.
 * @throws {CheckpointError} if a finite number would be infinite in that dtype
 */
export async function readParameter(file: StateFile, name: string, { device, shape, dtype }: Tensor): Promise<Tensor> {
  const stored = file.tensors.get(name)?.dtype
  if (stored === dtype.toUpperCase()) return tensorFromBytes(device, await file.read(name), shape, dtype)
  const values = await file.readFloat32(name)
  const large = dtype === 'f16' ? values.find((v) => Number.isFinite(v) && Math.abs(v) >= f16Limit) : undefined
  if (large !== undefined) throw new CheckpointError(`load: expected ${name} within ±65504, the range of f16, got ${large}; load it in f32 or bf16`)
  return tensor(device, values, shape, { dtype, allowNonFinite: true })
}
