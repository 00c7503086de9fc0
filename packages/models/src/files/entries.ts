import { type Backend, ConfigError, type Tensor } from '@antipode/core'
import { encodeFloat32, type StreamedSafetensorsEntry } from '@antipode/core/io'
import type { StateSource } from '@antipode/core/nn'
import { abortSignal, checkArgument, flag, oneOf, type Ranges } from '@antipode/core/options'

/** Element types that files are written in. */
export type FileDType = 'f32' | 'f16' | 'bf16'

/** Strings kept in the header of a file, such as the recipe. */
export type FileMetadata = Readonly<Record<string, string>>

/** Options of {@link saveModel} and `saveAdapter`. */
export interface SaveOptions {
  /** Element type in the file; f32 by default. */
  readonly dtype?: FileDType
  /**
   * Whether the file holds SHA-256 digests of its header and tensors, which loading it with `verify` compares; false by
   * default.
   */
  readonly digest?: boolean
  /** Aborts between tensors; the file at the path stays as it was. */
  readonly signal?: AbortSignal
}

const fileDTypes = ['f32', 'f16', 'bf16'] as const
const fileType = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const

/** Ranges of {@link SaveOptions}. */
export const saveRanges: Ranges<SaveOptions> = { dtype: oneOf(...fileDTypes), digest: flag, signal: abortSignal }

/** @throws {ConfigError} if metadata are no strings, or have a key that is written here */
export function checkMetadata(where: string, metadata: FileMetadata, reserved: readonly string[]): void {
  const isTexts = (v: unknown): boolean =>
    typeof v === 'object' && v !== null && Object.values(v).every((text) => typeof text === 'string')
  checkArgument(where, 'metadata', metadata, { expected: 'an object of strings', accepts: isTexts })
  const taken = reserved.find((key) => Object.hasOwn(metadata, key))
  if (taken === undefined) return
  throw new ConfigError(`${where}: expected metadata without ${taken}, which is written here, got one; rename it`)
}

/** Tensors as entries of a file, each read from the device when its turn comes; those of integers stay as they are. */
export function entriesOf(
  tensors: Iterable<readonly [name: string, tensor: Tensor]>,
  dtype: FileDType,
): StreamedSafetensorsEntry[] {
  const real = fileType[dtype]
  return Array.from(tensors, ([name, t]): StreamedSafetensorsEntry => {
    if (t.dtype === 'u32' || t.dtype === 'i32') {
      return { name, dtype: t.dtype === 'u32' ? 'U32' : 'I32', shape: t.shape, data: () => t.data() }
    }
    // Elements of real numbers are a Float32Array.
    const data = async (): Promise<Uint8Array> => encodeFloat32(await t.data() as Float32Array<ArrayBuffer>, real)
    return { name, dtype: real, shape: t.shape, data }
  })
}

/**
 * The tensors of a source as entries of a file, each read to a device and back when its turn comes, so that one is in
 * memory at a time. What are no real numbers, as old files count positions, is left out.
 * @param dtype element type in the file; that of each tensor by default, f16 for quantised ones
 * @param onTensor called before each is read
 */
export function entriesFrom(
  source: StateSource,
  device: Backend,
  dtype?: FileDType,
  onTensor?: (name: string) => void,
): StreamedSafetensorsEntry[] {
  return Array.from(source.names()).flatMap((name): StreamedSafetensorsEntry[] => {
    const { shape, dtype: stored, reads } = source.info(name) ?? { shape: [], dtype: '', reads: [] }
    const own = dtype ?? fileDTypes.find((one) => fileType[one] === stored) ?? 'f16'
    if (!reads.includes(own)) return []
    const data = async (): Promise<Uint8Array> => {
      onTensor?.(name)
      using t = await source.read(name, device, own)
      return encodeFloat32(await t.data() as Float32Array<ArrayBuffer>, fileType[own]) // elements of real numbers
    }
    return [{ name, dtype: fileType[own], shape, data }]
  })
}
