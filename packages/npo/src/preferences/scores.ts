import { NumericError, ShapeError, type Tensor } from '@antipode/core'

/**
 * Reads scores, one a sample.
 * @throws {ShapeError} unless there is one number a sample
 * @throws {NumericError} unless all are finite
 */
export async function scoresOf(where: string, scores: Tensor, count: number): Promise<ArrayLike<number>> {
  const shape = scores.shape.join()
  if (shape !== `${count}`) throw new ShapeError(`${where}: expected rewards [${count}], one a sample, got [${shape}]`)
  const values = await scores.data()
  checkRewards(where, values)
  return values
}

/** @throws {NumericError} unless all are finite */
export function checkRewards(where: string, values: ArrayLike<number>): void {
  const bad = Array.from(values).findIndex((v) => !Number.isFinite(v))
  if (bad < 0) return
  const got = `${values[bad]} for sample ${bad}`
  throw new NumericError(`${where}: expected finite rewards, got ${got}; look at what the model samples`, { where: 'reward' })
}
