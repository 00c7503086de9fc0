import { bytesOf, type Picture } from './picture.ts'

/** A Gaussian blur along rows and columns, cut at 3σ. Beyond the border lies white. @param sigma in pixels, above 0 */
export function blur({ data, side }: Picture, sigma: number): Picture {
  const radius = Math.ceil(3 * sigma)
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)))
  const total = weights.reduce((sum, w) => sum + w, 0)
  const pass = (source: ArrayLike<number>, along: number, across: number): Float64Array => {
    const out = new Float64Array(data.length)
    for (let line = 0; line < side; line++) {
      for (let at = 0; at < side; at++) {
        for (let c = 0; c < 3; c++) {
          let sum = 0
          for (let k = -radius; k <= radius; k++) {
            const from = at + k
            const value = from >= 0 && from < side ? source[from * along + line * across + c]! : 255
            sum += weights[k + radius]! * value
          }
          out[at * along + line * across + c] = sum / total
        }
      }
    }
    return out
  }
  return { data: bytesOf(pass(pass(data, 3, 3 * side), 3 * side, 3)), side }
}
