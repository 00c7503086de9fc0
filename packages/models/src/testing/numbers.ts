import { expect } from 'vitest'

export const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

/** Sum of sizes. */
export const l1 = (values: Float64Array): number => values.reduce((a, b) => a + Math.abs(b), 0)

/** Holds a number of a float64 run to a reference's, relative to what is large there. */
export function near(got: number | undefined, want: number, scale: number): void {
  expect(Math.abs((got ?? NaN) - want) / scale).toBeLessThan(1e-6)
}

/** A tensor of a golden run: its shape, the sum of its sizes, and its first numbers. */
export interface Numbers {
  readonly shape: readonly number[]
  readonly l1: number
  readonly first: readonly number[]
}

/** Holds all numbers of a tensor of a float64 run to a reference's. */
export function numbersNear(got: Float64Array | undefined, want: Numbers): void {
  const count = want.shape.reduce((a, b) => a * b, 1)
  expect(got?.length).toBe(count)
  near(l1(got!), want.l1, want.l1)
  want.first.forEach((value, i) => { near(got![i], value, want.l1 / count) })
}
