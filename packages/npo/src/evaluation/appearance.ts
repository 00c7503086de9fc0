import { ShapeError } from '@antipode/core'
import { finiteScores } from './scores.ts'
import { average } from './statistics.ts'

/**
 * Share of pixels that are full ink, within 0.02 of +1: over-guided samples have more of them. (Full paper is no sign
 * of anything: most of a clean sheet is.)
 *
 * @param images any shape, pixels in [−1, 1]
 * @throws {ShapeError} if there is no pixel. @throws {NumericError} if one is not finite.
 */
export function saturatedShare(images: Float32Array): number {
  let saturated = 0
  for (const pixel of finiteScores('saturatedShare', 'images', images)) if (pixel >= 0.98) saturated += 1
  return saturated / images.length
}

/**
 * Diversity: standard deviation of each pixel over the samples of its class, averaged over pixels and classes.
 * Falls when samples of a class become alike.
 *
 * @param images [N, …], pixels in [−1, 1]
 * @param labels [N]
 * @throws {ShapeError} if the images do not divide among the labels or no class has two samples.
 * @throws {NumericError} if a pixel is not finite.
 */
export function pixelDeviation(images: Float32Array, labels: ArrayLike<number>): number {
  finiteScores('pixelDeviation', 'images', images)
  const pixels = images.length / labels.length
  const groups = new Map<number, number[]>()
  for (let n = 0; n < labels.length; n++) groups.set(labels[n]!, [...(groups.get(labels[n]!) ?? []), n])
  const repeated = [...groups.values()].filter((members) => members.length > 1)
  if (!Number.isInteger(pixels) || repeated.length === 0) {
    throw new ShapeError(
      `pixelDeviation: expected whole images and a class with two of them, got ${images.length} pixels for ` +
        `${labels.length} labels; sample more of each class`,
    )
  }
  return average(repeated.map((members) => classDeviation(images, members, pixels)))
}

function classDeviation(images: Float32Array, members: readonly number[], pixels: number): number {
  let total = 0
  for (let i = 0; i < pixels; i++) {
    const mean = members.reduce((sum, n) => sum + images[n * pixels + i]!, 0) / members.length
    const variance = members.reduce((sum, n) => sum + (images[n * pixels + i]! - mean) ** 2, 0) / (members.length - 1)
    total += Math.sqrt(variance)
  }
  return total / pixels
}
