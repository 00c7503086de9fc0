import { DTypeError } from '../errors.ts'
import type { DType, Spec } from '../op.ts'

/** Throws unless indices are i32 or u32. */
export function expectIndices(op: string, s: Spec): void {
  if (s.dtype !== 'i32' && s.dtype !== 'u32') {
    throw new DTypeError(`${op}: expected indices of dtype i32 or u32, got ${s.dtype}; cast them with .to('i32')`)
  }
}

const values = {
  f32: { value: Number.NaN, bits: 0x7fc00000 },
  f16: { value: Number.NaN, bits: 0x7e007e00 },
  bf16: { value: Number.NaN, bits: 0x7fc07fc0 },
  i32: { value: -(2 ** 31), bits: 0x80000000 },
  u32: { value: 2 ** 32 - 1, bits: 0xffffffff },
} as const

/** What an index out of range yields: NaN, or for integers the value furthest from any sensible one. */
export function strange(dtype: DType): { readonly value: number; readonly bits: number } {
  return values[dtype as keyof typeof values] // no op reads blocks so
}

/** WGSL of {@link strange} from its bits in `P.strange`; in a uniform, because no WGSL constant may be NaN. */
export const strangeWgsl = (dtype: DType): string => (dtype === 'f16' ? 'bitcast<vec2<f16>>(P.strange).x' : 'bitcast<Scalar>(P.strange)')
