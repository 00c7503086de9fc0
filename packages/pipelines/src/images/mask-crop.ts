import { ShapeError } from '@antipode/core'
import { lanczos, type Raster } from './lanczos.ts'
import { luma, type Pixels, type PixelSource, rgbOf } from './pixels.ts'

/** A rectangle of an image, in pixels from its corner at the top left. */
export interface Region {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * What of an image to repaint at a size: all that a mask covers and so many pixels more on each side, widened to the
 * shape of that size as far as the image goes. Source: diffusers' `VaeImageProcessor.get_crop_region`.
 * @throws {ShapeError} if the mask covers nothing
 */
export function cropRegion(mask: PixelSource, size: Size, padding: number): Region {
  const { width, height } = mask
  const light = luma('cropRegion', mask)
  const columns = covered(width, (x) => anyOf(height, (y) => light[y * width + x] !== 0))
  const rows = covered(height, (y) => anyOf(width, (x) => light[y * width + x] !== 0))
  if (!columns || !rows) throw new ShapeError('cropRegion: expected a mask that covers something, got a black one')
  const [x1, x2] = [Math.max(columns[0] - padding, 0), Math.min(columns[1] + padding, width)]
  const [y1, y2] = [Math.max(rows[0] - padding, 0), Math.min(rows[1] + padding, height)]
  const shape = size.width / size.height
  if ((x2 - x1) / (y2 - y1) > shape) {
    const [top, bottom] = widened(y1, y2, Math.trunc((x2 - x1) / shape - (y2 - y1)), height)
    return { left: x1, top, width: x2 - x1, height: bottom - top }
  }
  const [left, right] = widened(x1, x2, Math.trunc((y2 - y1) * shape - (x2 - x1)), width)
  return { left, top: y1, width: right - left, height: y2 - y1 }
}

const anyOf = (count: number, holds: (i: number) => boolean): boolean => {
  for (let i = 0; i < count; i++) if (holds(i)) return true
  return false
}

/** The first index that holds, and the one after the last. */
function covered(count: number, holds: (i: number) => boolean): [number, number] | undefined {
  let [first, end] = [0, count]
  while (first < count && !holds(first)) first++
  while (end > first && !holds(end - 1)) end--
  return first === count ? undefined : [first, end]
}

/** A span widened on both sides, moved to lie within [0, limit], and cut where it cannot. */
function widened(from: number, to: number, by: number, limit: number): [number, number] {
  let [start, end] = [from - Math.floor(by / 2), to + by - Math.floor(by / 2)]
  if (end >= limit) [start, end] = [start - (end - limit), limit]
  if (start < 0) [start, end] = [0, end - start]
  return [start, Math.min(end, limit)]
}

/**
 * A region of an image at a size: as large as fits in the middle, and beside it what the outermost rows or columns go
 * on to. Source: diffusers' `VaeImageProcessor._resize_and_fill`.
 */
export function croppedTo(image: PixelSource, region: Region, { width, height }: Size): PixelSource {
  const part = cut(rasterOf('croppedTo', image), region)
  const [wide, tall] = fitted(part, { width, height }, width / height < part.width / part.height)
  const inner = lanczos(part, wide, tall)
  const [left, top] = [Math.floor(width / 2) - Math.floor(wide / 2), Math.floor(height / 2) - Math.floor(tall / 2)]
  const data = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[3 * (y * width + x) + c] = beyond(inner, x - left, y - top, c)
    }
  }
  return { data, width, height }
}

/** A part as large as fits in a size with its shape. @param byWidth whether its width decides */
function fitted(part: Size, size: Size, byWidth: boolean): [width: number, height: number] {
  return [
    byWidth ? size.width : Math.floor((part.width * size.height) / part.height),
    byWidth ? Math.floor((part.height * size.width) / part.width) : size.height,
  ]
}

/** A byte of an image; outside of it what Pillow's cubic filter makes of the two outermost rows or columns. */
function beyond({ data, width, height }: Raster, x: number, y: number, c: number): number {
  const at = (column: number, row: number): number => data[3 * (row * width + column) + c] ?? 0
  const [inX, inY] = [x >= 0 && x < width, y >= 0 && y < height]
  if (inX && inY) return at(x, y)
  const [edgeX, edgeY] = [x < 0 ? 0 : width - 1, y < 0 ? 0 : height - 1]
  const inward = (edge: number, size: number): number => (edge === 0 ? Math.min(1, size - 1) : Math.max(0, edge - 1))
  const [edge, next] = inX ? [at(x, edgeY), at(x, inward(edgeY, height))] : [at(edgeX, y), at(inward(edgeX, width), y)]
  return Math.min(255, Math.max(0, Math.floor((9 * edge - next) / 8 + 0.5)))
}

/**
 * An image with what was painted of a region put back into it, as far as the mask is light. Where it is grey both shine
 * through. Source: diffusers' `VaeImageProcessor.apply_overlay`.
 */
export function overlaid(image: PixelSource, mask: PixelSource, painted: PixelSource, region: Region): Pixels {
  const { width, height } = image
  const [below, light] = [rgbOf('overlaid', image), luma('overlaid', mask)]
  const part = rasterOf('overlaid', painted)
  const [wide, tall] = fitted(part, region, region.width / region.height > part.width / part.height)
  const sized = lanczos(part, wide, tall)
  const left = region.left + Math.floor(region.width / 2) - Math.floor(wide / 2)
  const top = region.top + Math.floor(region.height / 2) - Math.floor(tall / 2)
  const data = new Uint8ClampedArray(4 * width * height).fill(255)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const inside = x >= Math.max(left, region.left) && x < Math.min(left + wide, region.left + region.width) &&
        y >= Math.max(top, region.top) && y < Math.min(top + tall, region.top + region.height)
      const share = (light[i] ?? 0) / 255
      for (let c = 0; c < 3; c++) {
        const above = inside ? (sized.data[3 * ((y - top) * wide + x - left) + c] ?? 0) : 0
        data[4 * i + c] = share * above + (1 - share) * (below[3 * i + c] ?? 0)
      }
    }
  }
  return { data, width, height }
}

const rasterOf = (where: string, image: PixelSource): Raster => (
  { data: rgbOf(where, image), width: image.width, height: image.height, channels: 3 }
)

function cut({ data, width }: Raster, region: Region): Raster {
  const part = new Uint8Array(3 * region.width * region.height)
  for (let y = 0; y < region.height; y++) {
    const from = 3 * ((region.top + y) * width + region.left)
    part.set(data.subarray(from, from + 3 * region.width), 3 * y * region.width)
  }
  return { data: part, width: region.width, height: region.height, channels: 3 }
}
