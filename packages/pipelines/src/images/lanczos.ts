/** Rows of numbers of so many channels each. */
export interface Raster {
  readonly data: Uint8Array<ArrayBuffer>
  readonly width: number
  readonly height: number
  readonly channels: number
}

/** What one pixel of a resized line is the sum of: pixels from `first` on, by weights in units of 2⁻²². */
interface Taps {
  readonly first: number
  readonly weights: Int32Array
}

/** Lobes of the filter on either side. */
const lobes = 3
/** Bits of a weight behind the point: of 32, 8 are a pixel's and 2 what sums may overshoot by. */
const precision = 22

/**
 * An image of another size by Lanczos' filter of three lobes, which widens where the image shrinks. To the bit as
 * Pillow 13: along rows and then along columns, or the other way round where columns lose over twice as many pixels as
 * rows do, as Pillow did not before; each pass is in fixed point and rounded to eight bits.
 * Source: Pillow `Resample.c` (`ImagingResample`, `precompute_coeffs`, `normalize_coeffs_8bpc`).
 */
export function lanczos(image: Raster, width: number, height: number): Raster {
  const lost = image.height - height
  const columnsFirst = lost > 0 && lost > 2 * (image.width - width)
  const first = columnsFirst ? ofHeight(image, height) : image
  const wide = width === image.width ? first : alongRows(first, tapsOf(image.width, width))
  return columnsFirst ? wide : ofHeight(wide, height)
}

function ofHeight(image: Raster, height: number): Raster {
  return height === image.height ? image : alongColumns(image, tapsOf(image.height, height))
}

function tapsOf(from: number, to: number): Taps[] {
  const scale = from / to
  const stretch = Math.max(1, scale)
  const support = lobes * stretch
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const end = Math.min(from, Math.trunc(centre + support + 0.5))
    const exact = Array.from({ length: end - first }, (_, k) => filter((k + first - centre + 0.5) * (1 / stretch)))
    const sum = exact.reduce((a, b) => a + b, 0)
    const fixed = exact.map((w) => {
      const unit = w / sum * 2 ** precision
      return Math.trunc(unit < 0 ? unit - 0.5 : unit + 0.5)
    })
    return { first, weights: Int32Array.from(fixed) }
  })
}

function filter(x: number): number {
  return Math.abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI)
}

function alongRows({ data, width, height, channels }: Raster, taps: readonly Taps[]): Raster {
  const out = new Uint8Array(taps.length * height * channels)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (const { first, weights } of taps) {
      const start = (y * width + first) * channels
      for (let c = 0; c < channels; c++) out[at++] = weighed(data, weights, start + c, channels)
    }
  }
  return { data: out, width: taps.length, height, channels }
}

function alongColumns({ data, width, channels }: Raster, taps: readonly Taps[]): Raster {
  const row = width * channels
  const out = new Uint8Array(row * taps.length)
  let at = 0
  for (const { first, weights } of taps) {
    for (let x = 0; x < row; x++) out[at++] = weighed(data, weights, first * row + x, row)
  }
  return { data: out, width, height: taps.length, channels }
}

/** A sum of pixels that are `stride` apart, rounded and held to a byte. */
function weighed(data: Uint8Array, weights: Int32Array, start: number, stride: number): number {
  let sum = 1 << (precision - 1)
  for (let k = 0; k < weights.length; k++) sum += (data[start + k * stride] as number) * (weights[k] as number)
  const value = sum >> precision
  return value < 0 ? 0 : value > 255 ? 255 : value
}
