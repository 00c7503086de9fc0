import { NumericError, ShapeError } from '@antipode/core'

/** A copy of some scores. @throws {ShapeError} if there are none @throws {NumericError} if one is not finite */
export function finiteScores(op: string, where: string, values: ArrayLike<number>): Float64Array {
  if (values.length === 0) throw new ShapeError(`${op}: expected at least one score in ${where}, got none; evaluate first`)
  const copy = Float64Array.from(values)
  const bad = copy.findIndex((value) => !Number.isFinite(value))
  if (bad < 0) return copy
  throw new NumericError(
    `${op}: expected finite scores, got ${copy[bad]} at ${where}[${bad}]; look for diverged samples`,
    { where: `${where}[${bad}]` },
  )
}
