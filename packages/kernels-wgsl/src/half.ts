const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/**
 * The bits of the f16 number nearest to x, ties to even: by adding a power of two so large that only the digits of a
 * half are left of the sum.
 */
export function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const a = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (a >= 65520) return sign | 0x7c00
  if (a < 2 ** -14) return sign | (a + 2 ** 28 - 2 ** 28) * 2 ** 24
  float[0] = a
  word[0] = (((word[0] ?? 0) >>> 23) - 10) << 23
  const large = (float[0] ?? 0) * 2 ** 52
  float[0] = a + large - large
  return sign | ((word[0] ?? 0) >>> 13) - (112 << 10)
}

/** The number of the bits of an f16. */
export function fromHalf(h: number): number {
  const exponent = (h >> 10) & 31
  const fraction = h & 1023
  const sign = h & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
}
