import { type DType, inBlocks, isFloat, largestInBlocks } from '@antipode/kernels-wgsl'
import { NumericError } from '../errors.ts'

/** From these on a number rounds to infinity in the type, once it is f32: half-way between the largest and the next power of two. */
const overflow = { f32: Infinity, f16: 65_520, bf16: 2 ** 128 - 2 ** 119 } as const
/** Whole numbers of the type. */
const whole = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const

/** Whether a type has a number, or, if it is real, one that it rounds to; NaN and the infinities are real numbers here, though not in blocks. */
export function holds(dtype: DType, value: number): boolean {
  if (inBlocks(dtype)) return Math.abs(value) < largestInBlocks(dtype)
  if (dtype === 'i32' || dtype === 'u32') return Number.isInteger(value) && value >= whole[dtype][0] && value <= whole[dtype][1]
  return Math.abs(Math.fround(value)) < overflow[dtype] || !Number.isFinite(value)
}

/**
 * Numbers that are about to become elements of a type.
 * @throws {NumericError} that names the first which the type does not hold, or which is NaN or infinite unless that is allowed
 */
export function checkNumbers(where: string, data: ArrayLike<number>, dtype: DType, allowNonFinite: boolean): void {
  if (allowNonFinite && dtype === 'f32' && data instanceof Float32Array) return
  const anything = allowNonFinite && isFloat(dtype)
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    if (typeof value === 'number' && holds(dtype, value) && (anything || Number.isFinite(value))) continue
    const expected = typeof value === 'number' && Number.isFinite(value) ? `numbers that ${dtype} holds` : 'finite numbers'
    const hint = expected !== 'finite numbers' ? 'scale or round them, or choose another dtype' : isFloat(dtype) ? 'clean the data or pass allowNonFinite' : 'clean the data'
    throw new NumericError(`${where}: expected ${expected}, got ${String(value)} at index ${i}; ${hint}`, { where: `element ${i}` })
  }
}

/** A number that takes part in arithmetic of a type. @throws {NumericError} unless the type holds it */
export function checkNumber(where: string, value: number, dtype: DType): void {
  if (typeof value === 'number' && holds(dtype, value)) return
  throw new NumericError(`${where}: expected a number that ${dtype} holds, got ${String(value)}; scale or round it, or choose another dtype`, { where: 'number' })
}
