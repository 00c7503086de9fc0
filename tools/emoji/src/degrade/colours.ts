import { mapped, type Picture } from './picture.ts'

/** Red, green and blue in luminance. Source: Filter Effects Module Level 1, `feColorMatrix` of type `hueRotate`. */
const luminance = [0.213, 0.715, 0.072] as const
const cosines = [[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]] as const
const sines = [[-0.213, -0.715, 0.928], [0.143, 0.14, -0.283], [-0.787, 0.715, 0.072]] as const

/** Hues turned by an angle in radians; greys stay as they are. Source: Filter Effects Module Level 1, `hueRotate`. */
export function hueTurned(picture: Picture, angle: number): Picture {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const matrix = [0, 1, 2].map((to) => [0, 1, 2].map((from) => luminance[from]! + cos * cosines[to]![from]! + sin * sines[to]![from]!))
  return mapped(picture, (i) => {
    const at = i - (i % 3)
    return matrix[i % 3]!.reduce((sum, weight, c) => sum + weight * picture.data[at + c]!, 0)
  })
}

/** Each channel times a number of its own, paper included. */
export function tinted(picture: Picture, gains: readonly number[]): Picture {
  return mapped(picture, (i) => picture.data[i]! * gains[i % 3]!)
}

/** How colourful a picture is on average: the largest less the smallest channel, of 0 to 255. */
export function colourOf({ data }: Picture): number {
  let sum = 0
  for (let i = 0; i < data.length; i += 3) {
    sum += Math.max(data[i]!, data[i + 1]!, data[i + 2]!) - Math.min(data[i]!, data[i + 1]!, data[i + 2]!)
  }
  return sum / (data.length / 3)
}
