import { ConfigError } from '@antipode/core'
import { atLeast, checkOptions, required, whole } from '@antipode/core/options'
import { aGenerator, checkLabelled } from './check-images.ts'
import type { Generator } from './generator.ts'
import type { LabelledImages } from './load-digits.ts'

/** Clips of moving digits. */
export interface MovingDigits {
  /** [count, 1, frames, size, size] in [−1, 1] */
  readonly clips: Float32Array<ArrayBuffer>
  /** [count] */
  readonly labels: Uint8Array<ArrayBuffer>
  readonly frames: number
  readonly size: number
  readonly count: number
}

/** Ink fainter than this does not count when a digit bounces off the border. */
const INK = -0.5

/**
 * Short clips made from real digits: each moves in a straight line at a random velocity and bounces off the border of
 * its own frame, so that its ink stays inside. Positions between pixels are interpolated bilinearly.
 *
 * @param source digits to draw from; the frames have their size
 * @param options `speed`: greatest speed in each direction, pixels a frame, 0 or more (default 1.5)
 * @throws {ConfigError} if `count` or `frames` is no positive integer, an option is unknown or out of its range, or there is no
 *   digit to draw.
 * @throws {ShapeError} if images and labels do not fit each other.
 */
export function movingDigits(
  source: LabelledImages,
  options: { readonly count: number; readonly frames: number; readonly generator: Generator; readonly speed?: number },
): MovingDigits {
  checkOptions('movingDigits', options, {
    count: required(whole(1)), frames: required(whole(1)), generator: required(aGenerator), speed: atLeast(0),
  })
  checkLabelled('movingDigits', source)
  if (source.count === 0) throw new ConfigError('movingDigits: expected at least one digit to draw, got none; pass a split')
  const { count, frames, generator, speed = 1.5 } = options
  const { size } = source
  const pixels = size * size
  const clips = new Float32Array(count * frames * pixels) // [B, 1, F, H, W]
  const labels = new Uint8Array(count)
  for (let n = 0; n < count; n++) {
    const member = Math.floor(generator.uniform() * source.count)
    const image = source.images.subarray(member * pixels, (member + 1) * pixels)
    labels[n] = source.labels[member]!
    const box = inkBox(image, size)
    const paths = [
      bounce(-box.left, size - 1 - box.right, frames, speed, generator),
      bounce(-box.top, size - 1 - box.bottom, frames, speed, generator),
    ] as const
    for (let f = 0; f < frames; f++) {
      const frame = clips.subarray((n * frames + f) * pixels, (n * frames + f + 1) * pixels)
      shift(frame, image, size, paths[0][f]!, paths[1][f]!)
    }
  }
  return { clips, labels, frames, size, count }
}

/** Bounding box of the ink, in pixel indices, both ends included; the whole image if there is none. */
function inkBox(image: Float32Array, size: number): { left: number; right: number; top: number; bottom: number } {
  const box = { left: size, right: -1, top: size, bottom: -1 }
  for (let i = 0; i < image.length; i++) {
    if (image[i]! <= INK) continue
    const x = i % size
    const y = Math.floor(i / size)
    box.left = Math.min(box.left, x)
    box.right = Math.max(box.right, x)
    box.top = Math.min(box.top, y)
    box.bottom = Math.max(box.bottom, y)
  }
  return box.right < 0 ? { left: 0, right: size - 1, top: 0, bottom: size - 1 } : box
}

/** Offsets in [low, high] of a point that starts anywhere, keeps its speed and is reflected at both ends. */
function bounce(low: number, high: number, frames: number, speed: number, generator: Generator): Float64Array {
  const room = high - low
  const start = generator.uniform() * room
  const velocity = (2 * generator.uniform() - 1) * speed
  return Float64Array.from({ length: frames }, (_, f) => {
    if (room === 0) return low
    const folded = (((start + velocity * f) % (2 * room)) + 2 * room) % (2 * room) // a triangle wave of period 2·room
    return low + (folded <= room ? folded : 2 * room - folded)
  })
}

/** Writes `image` moved right by dx and down by dy; what enters from outside is paper (−1). */
function shift(target: Float32Array, image: Float32Array, size: number, dx: number, dy: number): void {
  const x0 = Math.floor(dx)
  const y0 = Math.floor(dy)
  const fx = dx - x0
  const fy = dy - y0
  const ink = (y: number, x: number): number =>
    y < 0 || x < 0 || y >= size || x >= size ? 0 : image[y * size + x]! + 1
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [sy, sx] = [y - y0, x - x0]
      const upper = (1 - fx) * ink(sy, sx) + fx * ink(sy, sx - 1)
      const lower = (1 - fx) * ink(sy - 1, sx) + fx * ink(sy - 1, sx - 1)
      target[y * size + x] = (1 - fy) * upper + fy * lower - 1
    }
  }
}
