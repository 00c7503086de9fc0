import { byteSize, inBlocks } from '@antipode/kernels-wgsl'

/**
 * Bytes an element of each safetensors dtype takes. The order is that of the reference implementation, whose files
 * hold the last first, so that wide types come before narrow ones and every tensor is aligned to its element.
 *
 * Source: huggingface/safetensors, safetensors/src/tensor.rs (enum Dtype).
 */
export const bytesPerElement = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const

/** A dtype as safetensors headers spell it. */
export type SafetensorsDType = keyof typeof bytesPerElement

export const dtypes = Object.keys(bytesPerElement) as readonly SafetensorsDType[] // keys of a literal object

export function isSafetensorsDType(value: unknown): value is SafetensorsDType {
  return typeof value === 'string' && Object.hasOwn(bytesPerElement, value)
}

/** Bytes that so many elements take in a file, by their type in the word of its format; undefined of a type that is none. */
export function bytesStored(dtype: string, count: number): number | undefined {
  const type = dtype.toLowerCase()
  if (inBlocks(type)) return count * byteSize(type)
  return isSafetensorsDType(dtype) ? count * bytesPerElement[dtype] : undefined
}
