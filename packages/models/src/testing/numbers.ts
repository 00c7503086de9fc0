import { expect } from 'vitest'

export const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

/** Sum of sizes. */
export const l1 = (values: Float64Array): number => values.reduce((a, b) => a + Math.abs(b), 0)

/** Holds a number of a float64 run to a reference's, relative to what is large there. */
export function near(got: number | undefined, want: number, scale: number): void {
  expect(Math.abs((got ?? NaN) - want) / scale).toBeLessThan(1e-6)
}
