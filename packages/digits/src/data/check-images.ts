import { ShapeError } from '@antipode/core'
import { checkArgument, type Range, whole } from '@antipode/core/options'
import type { LabelledImages } from './load-digits.ts'

/** What draws numbers: see `Generator`. */
export const aGenerator: Range = {
  expected: 'a generator with uniform() and normal(), such as rng(seed)',
  accepts: (v) => typeof v === 'object' && v !== null && 'uniform' in v && 'normal' in v && typeof v.uniform === 'function' && typeof v.normal === 'function',
}

/** @throws {ConfigError} if size or count is not whole @throws {ShapeError} if there are not as many pixels and labels as they say */
export function checkLabelled(where: string, { images, labels, size, count }: LabelledImages): void {
  checkArgument(where, 'the side of the images', size, whole(1))
  checkArgument(where, 'the number of images', count, whole(0))
  if (images.length === count * size * size && labels.length === count) return
  throw new ShapeError(
    `${where}: expected ${count} labels and images of ${size}x${size} pixels, got ${labels.length} labels and ${images.length} pixels; pass a whole split`,
  )
}
