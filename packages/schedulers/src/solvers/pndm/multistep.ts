import type { Term } from '../../linear/index.ts'

/** Adams and Bashforth's weights for even steps: of the newest slope and of those before it, by how many there are. */
const weights = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const satisfies readonly (readonly number[])[]

/** Slopes that a step looks at, at most. */
export const mostSlopes: number = weights.length

/** The mean slope over the step ahead. @param slopes at even steps, oldest first, one to {@link mostSlopes} of them */
export function meanSlope<T>(slopes: readonly T[]): Term<T>[] {
  return weights[slopes.length - 1]!.map((weight, k) => [weight, slopes.at(-1 - k)!])
}
