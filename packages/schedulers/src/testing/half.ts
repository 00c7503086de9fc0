import type { Linear } from '../linear/index.ts'

/** Values that are kept in half precision. */
export interface Half {
  readonly half: Float32Array
}

/** The adapter for half precision: sums in float64 and rounds once, to float16. */
export const halfLinear: Linear<Half> = {
  combine: (terms) => ({
    half: Float32Array.from({ length: terms[0]![1].half.length }, (_, i) =>
      roundHalf(terms.reduce((sum, [coefficient, { half }]) => sum + coefficient * half[i]!, 0)),
    ),
  }),
  clamp: ({ half }, low, high) => ({ half: half.map((x) => Math.min(Math.max(x, low), high)) }),
}

/** The nearest float16: eleven significant bits, and steps of 2⁻²⁴ below 2⁻¹⁴. */
export function roundHalf(x: number): number {
  if (Math.abs(x) >= 65520) return Math.sign(x) * Infinity
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x) || 2 ** -24)), -14)
  const step = 2 ** (exponent - 10)
  return Math.round(x / step) * step
}
