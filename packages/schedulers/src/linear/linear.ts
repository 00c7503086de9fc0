import { refuse } from '../errors.ts'

/** One term c·x of a linear combination. */
export type Term<T> = readonly [coefficient: number, value: T]

/**
 * What a solver may do with tensors. An adapter for any tensor type is these few lines; the schedulers know no other
 * property of T, neither its shape nor where it lives.
 */
export interface Linear<T> {
  /** Σ c·x over one or more terms of equal shape; a new value. */
  combine(terms: readonly Term<T>[]): T
  /** Elementwise min(max(x, low), high); needed only where a configuration clips x₀. */
  clamp?(value: T, low: number, high: number): T
}

/** The adapter for Float32Array: sums in float64 and rounds once. */
export const float32Linear: Linear<Float32Array> = {
  combine(terms) {
    const first = terms[0]
    if (first === undefined) refuse('combine', 'at least one term', 'none', 'pass [[c, x], …]')
    const sum = new Float64Array(first[1].length)
    for (const [coefficient, value] of terms) {
      if (value.length !== sum.length) {
        const got = `${sum.length} and ${value.length}`
        refuse('combine', 'terms of equal length', got, 'sample, prediction and noise have one shape')
      }
      for (let i = 0; i < sum.length; i++) sum[i]! += coefficient * value[i]!
    }
    return Float32Array.from(sum)
  },
  clamp: (value, low, high) => value.map((x) => Math.min(Math.max(x, low), high)),
}

/** Σ c·x without the terms whose coefficient is zero: less work, and 0·∞ of an unused term cannot spoil the sum. */
export function combine<T>(linear: Linear<T>, terms: readonly Term<T>[]): T {
  const used = terms.filter(([coefficient]) => coefficient !== 0)
  return linear.combine(used.length > 0 ? used : terms.slice(0, 1))
}
