import type { AnySolver } from '../run/index.ts'
import * as exported from './exported.ts'

/** Every solver that the package exports, in the order of their names. */
export function allSolvers(): readonly AnySolver[] {
  // Each export of values there is a Solver, which takes any options and refuses by name those that it does not know.
  return Object.values(exported) as unknown as readonly AnySolver[]
}
