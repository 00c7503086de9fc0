import { at } from './entries.ts'

/** Sizes of a 3×3 convolution of one or more images with a zero border of one pixel. */
export interface Conv {
  readonly channels: number
  readonly filters: number
  readonly height: number
  readonly width: number
  readonly stride: number
}

/** Entry of the convolution `[B,O,H',W']`. */
export function convEntry(x: ArrayLike<number>, w: ArrayLike<number>, { channels, filters, height, width, stride }: Conv, index: number): number {
  const [oh, ow] = [Math.ceil(height / stride), Math.ceil(width / stride)]
  const column = index % ow
  const row = Math.floor(index / ow) % oh
  const filter = Math.floor(index / (ow * oh)) % filters
  const image = Math.floor(index / (ow * oh * filters))
  let sum = 0
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < 9; i++) {
      const [y, z] = [row * stride + Math.floor(i / 3) - 1, column * stride + (i % 3) - 1]
      if (y < 0 || z < 0 || y >= height || z >= width) continue
      sum += at(x, ((image * channels + c) * height + y) * width + z) * at(w, (filter * channels + c) * 9 + i)
    }
  }
  return sum
}

/** Entry of the gradient of `Σ g·conv(x, w)` with respect to x `[1,C,H,W]`, of stride 1: every pixel that a tap carried x to. */
export function convInputEntry(g: ArrayLike<number>, w: ArrayLike<number>, { channels, filters, height, width }: Conv, index: number): number {
  const column = index % width
  const row = Math.floor(index / width) % height
  const channel = Math.floor(index / (width * height))
  let sum = 0
  for (let o = 0; o < filters; o++) {
    for (let i = 0; i < 9; i++) {
      const [y, z] = [row - Math.floor(i / 3) + 1, column - (i % 3) + 1]
      if (y < 0 || z < 0 || y >= height || z >= width) continue
      sum += at(g, (o * height + y) * width + z) * at(w, (o * channels + channel) * 9 + i)
    }
  }
  return sum
}

/** Entry of the gradient of `Σ g·conv(x, w)` with respect to w `[O,C,3,3]`, of one image and stride 1. */
export function convWeightEntry(x: ArrayLike<number>, g: ArrayLike<number>, { channels, height, width }: Conv, index: number): number {
  const tap = index % 9
  const channel = Math.floor(index / 9) % channels
  const filter = Math.floor(index / (9 * channels))
  const [dy, dx] = [Math.floor(tap / 3) - 1, (tap % 3) - 1]
  let sum = 0
  for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
    for (let z = Math.max(0, -dx); z < Math.min(width, width - dx); z++) {
      sum += at(g, (filter * height + y) * width + z) * at(x, (channel * height + y + dy) * width + z + dx)
    }
  }
  return sum
}
