import type { Size } from '../pictures/index.ts'

/** Sides of buckets are multiples of it, in pixels, as those of Stable Diffusion XL's training were. */
const step = 64

/** Below it a step of 64 pixels leaves no shapes worth the name, and there is a square alone. */
const smallest = 256

/**
 * Sizes that training pictures are brought to: multiples of 64 pixels, from half of the resolution to twice, of the
 * largest area up to its square. A resolution below 256 has one, the square.
 * Source: Podell et al. 2023, arXiv 2307.01952, section 2.3 and appendix I.
 */
export function bucketsOf(resolution: number): Size[] {
  const square = { height: resolution, width: resolution }
  if (resolution < smallest) return [square]
  const sizes = new Map<string, Size>()
  const add = (height: number, width: number): void => { sizes.set(`${height}x${width}`, { height, width }) }
  for (let side = Math.ceil(resolution / 2 / step) * step; side <= resolution; side += step) {
    const other = Math.floor(resolution * resolution / side / step) * step
    add(side, other)
    add(other, side)
  }
  return [...sizes.values()]
}

/** The bucket whose shape is nearest to that of a picture, by the ratio of their ratios. */
export function bucketFor({ height, width }: Size, buckets: readonly Size[]): Size {
  const distance = (size: Size): number => Math.abs(Math.log(size.height / size.width) - Math.log(height / width))
  return buckets.reduce((best, size) => (distance(size) < distance(best) ? size : best))
}
