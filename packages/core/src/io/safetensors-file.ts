import { CheckpointError } from '../errors.ts'
import { decodeFloat32 } from './convert.ts'
import type { SafetensorsDType } from './dtype.ts'
import { quote, type SafetensorsInfo } from './header.ts'
import type { TensorFile } from './tensor-file.ts'

/** One tensor of a stream. `bytes` is little-endian, row-major and the caller's to keep. */
export interface SafetensorsTensor {
  readonly name: string
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** An open checkpoint. Only its header is in memory; each read brings in one tensor. */
export interface SafetensorsFile extends TensorFile {
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>
  /** Every tensor in file order, one in memory at a time. */
  stream(): AsyncIterable<SafetensorsTensor>
}

type Parts = Pick<SafetensorsFile, 'metadata' | 'tensors' | 'read' | 'close'>

/** The public face over a way to read a tensor by name; a single file and a set of shards share it. */
export function safetensorsFile(label: string, { metadata, tensors, read, close }: Parts): SafetensorsFile {
  return {
    metadata,
    tensors,
    read,
    close,
    async readFloat32(name, into) {
      const { dtype } = tensorNamed(label, tensors, name)
      return decodeFloat32(await read(name, into), dtype)
    },
    async *stream() {
      for (const [name, { dtype, shape }] of tensors) yield { name, dtype, shape, bytes: await read(name) }
    },
    [Symbol.asyncDispose]: close,
  }
}

/** @throws {CheckpointError} that lists some names if there is no such tensor. */
export function tensorNamed<T>(label: string, tensors: ReadonlyMap<string, T>, name: string): T {
  const tensor = tensors.get(name)
  if (tensor !== undefined) return tensor
  const some = [...tensors.keys()].slice(0, 5).map(quote).join(', ')
  throw new CheckpointError(
    `readSafetensors: ${label}: expected a tensor named ${quote(name)}, got ${tensors.size} others ` +
      `(${some}${tensors.size > 5 ? ', …' : ''}); look its name up in .tensors`,
  )
}
