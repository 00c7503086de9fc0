import type { Term } from '../linear/index.ts'

/** Slopes that a step looks at, at most. */
export const mostSlopes = 4

/**
 * The mean slope over the step ahead, by Adams and Bashforth's weights for even steps.
 * @param slopes oldest first, one to {@link mostSlopes} of them
 */
export function meanSlope<T>(slopes: readonly T[]): Term<T>[] {
  // Within the function, so that bundles of other solvers are without it.
  const weights = [
    [1],
    [3 / 2, -1 / 2],
    [23 / 12, -16 / 12, 5 / 12],
    [55 / 24, -59 / 24, 37 / 24, -9 / 24],
  ]
  return weights[slopes.length - 1]!.map((weight, k) => [weight, slopes.at(-1 - k)!])
}
