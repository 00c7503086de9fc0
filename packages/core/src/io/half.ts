/**
 * Codecs between f32 and the two 16-bit float formats, on bit patterns throughout so that NaN payloads survive.
 * Narrowing rounds to nearest, ties to even. Node 20 has no Float16Array, hence the code.
 */

const F32_INFINITY = 0x7f800000
const F32_MANTISSA = 0x7fffff
/** 65520, half-way between the largest f16 and the next power of two: it and all above round to infinity. */
const F16_OVERFLOW = 0x477ff000
/** 2^-14, the smallest normal f16. */
const F16_MIN_NORMAL = 0x38800000
/** 2^-25, half the smallest subnormal f16: it and all below round to zero. */
const F16_UNDERFLOW = 0x33000000
/** Exponent bias difference 127 − 15, in place. */
const F16_REBIAS = 112 << 23

function wordsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}

/** f16 bit patterns to f32 values of the same number; exact. */
export function float16ToFloat32(codes: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(codes.length)
  const words = wordsOf(out)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    const sign = (code & 0x8000) << 16
    const exponent = (code >>> 10) & 0x1f
    const mantissa = code & 0x3ff
    if (exponent === 0x1f) {
      words[i] = sign | F32_INFINITY | (mantissa << 13)
    } else if (exponent !== 0) {
      words[i] = sign | (((exponent << 23) + F16_REBIAS) | (mantissa << 13))
    } else if (mantissa === 0) {
      words[i] = sign
    } else {
      // A subnormal m·2^-24: shift the leading one out of the mantissa and lower the exponent by as much.
      const shift = Math.clz32(mantissa) - 21
      words[i] = sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)
    }
  }
  return out
}

/** f32 values to f16 bit patterns, rounding to nearest even; beyond ±65520 infinity, NaN stays NaN. */
export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = wordsOf(values)
  const out = new Uint16Array(values.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    out[i] = ((word >>> 16) & 0x8000) | float16Magnitude(word & 0x7fffffff)
  }
  return out
}

function float16Magnitude(word: number): number {
  if (word > F32_INFINITY) {
    // A payload whose upper ten bits are empty would read as infinity: set the quiet bit instead.
    return 0x7c00 | (((word & F32_MANTISSA) >>> 13) || 0x200)
  }
  if (word >= F16_OVERFLOW) return 0x7c00
  if (word >= F16_MIN_NORMAL) return (word - F16_REBIAS + 0xfff + ((word >>> 13) & 1)) >>> 13
  if (word <= F16_UNDERFLOW) return 0
  const shift = 126 - (word >>> 23)
  const mantissa = (word & F32_MANTISSA) | 0x800000
  const kept = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept
}

/** bf16 bit patterns to f32 values of the same number; exact. */
export function bfloat16ToFloat32(codes: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(codes.length)
  const words = wordsOf(out)
  for (let i = 0; i < codes.length; i++) words[i] = codes[i]! << 16
  return out
}

/** f32 values to bf16 bit patterns, rounding to nearest even; NaN stays NaN. */
export function float32ToBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = wordsOf(values)
  const out = new Uint16Array(values.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if ((word & 0x7fffffff) > F32_INFINITY) {
      const code = word >>> 16
      out[i] = (code & 0x7f) === 0 ? code | 0x40 : code
    } else {
      out[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
    }
  }
  return out
}
