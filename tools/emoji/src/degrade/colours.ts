import { bytesOf, type Picture } from './picture.ts'

/** How colours go wrong. */
export interface WrongColours {
  /** By how much hues are turned, in degrees. */
  readonly turn: number
  /** What red, green and blue are multiplied by. */
  readonly scale: readonly [number, number, number]
}

// Rows of a rotation about grey that keeps luma. Source: W3C Filter Effects Module Level 1, feColorMatrix hueRotate.
const luma = [0.213, 0.715, 0.072] as const
const cosine = [[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]] as const
const sine = [[-0.213, -0.715, 0.928], [0.143, 0.14, -0.283], [-0.787, 0.715, 0.072]] as const

/** Hues turned about grey, and then red, green and blue scaled. */
export function wrongColours({ data, side }: Picture, { turn, scale }: WrongColours): Picture {
  const angle = turn * Math.PI / 180
  const matrix = cosine.map((row, i) => row.map(
    (value, k) => scale[i]! * (luma[k]! + Math.cos(angle) * value + Math.sin(angle) * sine[i]![k]!),
  ))
  const out = Float64Array.from(data, (_, i) => {
    const pixel = i - i % 3
    return matrix[i % 3]!.reduce((sum, weight, k) => sum + weight * data[pixel + k]!, 0)
  })
  return { data: bytesOf(out), side }
}
