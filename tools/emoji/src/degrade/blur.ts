import { mapped, type Picture } from './picture.ts'

/** Gaussian blur of so many pixels of standard deviation, cut at three of them; beyond the border is white paper. */
export function blurred(picture: Picture, sigma: number): Picture {
  const radius = Math.ceil(3 * sigma)
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const { width, height } = picture
  const along = (data: ArrayLike<number>, step: number, length: number): Float64Array => Float64Array.from(data, (_, i) => {
    const at = Math.floor(i / step) % length
    let ink = 0
    for (let k = -radius; k <= radius; k++) {
      if (at + k >= 0 && at + k < length) ink += weights[k + radius]! * (255 - data[i + k * step]!)
    }
    return 255 - ink / total
  })
  const result = along(along(picture.data, 3, width), 3 * width, height)
  return mapped(picture, (i) => result[i]!)
}
