import { arange, linear, ShapeError, type Tensor, where } from '@antipode/core'
import { checkOptions, flag, oneOf, type Ranges, required, whole } from '@antipode/core/options'

/** How pixels are weighed, as options of functions that resize. */
export interface ResizeFilter {
  /** Two pixels each way with a cubic, or one with a line; `bicubic` by default. */
  readonly filter?: 'bicubic' | 'bilinear'
  /** Whether pictures that shrink are averaged over all pixels, as Pillow does; true by default. */
  readonly antialias?: boolean
}

/** Options of {@link resize}. */
export interface ResizeOptions extends ResizeFilter {
  /** Pixels, whole, 1 or more. */
  readonly height: number
  /** Pixels, whole, 1 or more. */
  readonly width: number
}

/** Ranges of {@link ResizeFilter}. */
export const filterRanges: Ranges<ResizeFilter> = { filter: oneOf('bicubic', 'bilinear'), antialias: flag }

/**
 * Pictures `[B, C, H, W]` of another size, `[B, C, height, width]`, equal to torch's `interpolate` with
 * `align_corners=False`. In f32, with gradients; nothing is clamped, and a cubic overshoots.
 * The cubic is that of Keys 1981, a = −½ with antialiasing, where weights that leave the picture are shared out among
 * the others, and a = −¾ without, where they go to the pixel at the edge.
 * @throws {ShapeError} unless pictures have four axes, none of them empty
 * @throws {ConfigError} if an option is outside its range
 */
export function resize(images: Tensor, options: ResizeOptions): Tensor {
  const size = required(whole(1))
  checkOptions('resize', options, { height: size, width: size, ...filterRanges })
  checkPictures('resize', images)
  const { height, width } = options
  return resizePart(images, { ...options, to: [height, width], rows: [0, height], columns: [0, width] })
}

/** @throws {ShapeError} unless tensors are pictures `[B, C, H, W]`, of `colours` channels if that is given */
export function checkPictures(where: string, images: Tensor, colours?: number): void {
  const [, channels = 0, height = 0, width = 0] = images.shape
  if (images.rank === 4 && channels * height * width > 0 && channels === (colours ?? channels)) return
  throw new ShapeError(`${where}: expected pictures [B, ${colours ?? 'C'}, H, W], got [${images.shape.join()}]`)
}

/** What of a resized picture is computed. */
interface Part extends ResizeFilter {
  /** Height and width of the whole. */
  readonly to: readonly [number, number]
  /** The first row, and how many; parts of rows shift those between. */
  readonly rows: readonly [start: number, count: number]
  readonly columns: readonly [start: number, count: number]
}

/** A part of resized pictures, whose start need not be whole. */
export function resizePart(images: Tensor, part: Part): Tensor {
  const [, , height = 0, width = 0] = images.shape
  // Both axes are sums over pixels: x·Aᵀ, twice.
  const across = linear(images.to('f32'), weights(images, width, part.to[1], part.columns, part)) // [B, C, H, w]
  return linear(across.transpose(), weights(images, height, part.to[0], part.rows, part)).transpose() // [B, C, h, w]
}

/** The matrix `[count, from]` of some pixels of `to`, resized from `from` ones. */
function weights(
  { device }: Tensor, from: number, to: number, [start, count]: readonly [number, number],
  { filter = 'bicubic', antialias = true }: ResizeFilter,
): Tensor {
  const scale = from / to
  const centres = arange(device, count).add(start + 0.5).mul(scale).unsqueeze(1) // [count, 1]
  const weigh = filter === 'bilinear' ? line : cubic(antialias ? -0.5 : -0.75)
  if (antialias) {
    const inside = weigh(arange(device, from).add(0.5).sub(centres).div(Math.max(1, scale))) // [count, from]
    return inside.div(inside.sum({ axes: 1, keepDims: true }))
  }
  // Two pixels beyond each edge, which the edge stands for.
  const all = weigh(arange(device, from + 4).sub(1.5).sub(centres)) // [count, from + 4]
  const [before, after] = [all.slice(1, 0, 2), all.slice(1, from + 2, from + 4)]
  const pixels = arange(device, from)
  const at = (edge: number, beyond: Tensor): Tensor => {
    return where(pixels.eq(edge), beyond.sum({ axes: 1, keepDims: true }), 0)
  }
  return all.slice(1, 2, from + 2).add(at(0, before)).add(at(from - 1, after))
}

/** Keys' cubic of two pixels each way. */
function cubic(a: number): (x: Tensor) => Tensor {
  return (x) => {
    const t = x.abs()
    const near = t.mul(a + 2).sub(a + 3).mul(t).mul(t).add(1)
    const far = t.sub(5).mul(t).add(8).mul(t).sub(4).mul(a)
    return where(t.lt(1), near, where(t.lt(2), far, 0))
  }
}

/** A line to nothing one pixel away. */
function line(x: Tensor): Tensor {
  return x.abs().neg().add(1).maximum(0)
}
