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
  const bad = values.findIndex((v) => !Number.isFinite(v))
  if (bad < 0) return values
  const got = `${values[bad]} for sample ${bad}`
  const message = `${where}: expected finite rewards, got ${got}; look at what the model samples`
  throw new NumericError(message, { where: 'reward' })
}
