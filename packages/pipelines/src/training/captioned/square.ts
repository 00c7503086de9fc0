import { lanczos, type Pixels } from '../../images/index.ts'

/** Red, green and blue, each 0 to 255. */
export type Rgb = readonly [number, number, number]

/**
 * A picture as a square `[3, side, side]` of RGB bytes, in steps on the numbers as files store them (no gamma is undone):
 * 1. alpha is blended on the background, (α·c + (255 − α)·b) / 255, rounded: what hides behind α = 0 plays no part;
 * 2. the whole is resized by {@link lanczos} so far that it just covers the square;
 * 3. its middle is cut out, as `fit` does it.
 * A picture that has the side already is not resized.
 */
export function square(picture: Pixels, side: number, background: Rgb): Uint8Array<ArrayBuffer> {
  const scale = Math.max(side / picture.height, side / picture.width)
  const height = Math.max(side, Math.round(picture.height * scale))
  const width = Math.max(side, Math.round(picture.width * scale))
  const raster = { data: blended(picture, background), width: picture.width, height: picture.height, channels: 3 }
  const { data } = lanczos(raster, width, height)
  const top = Math.floor((height - side) / 2)
  const left = Math.floor((width - side) / 2)
  const out = new Uint8Array(3 * side * side)
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) out[(c * side + y) * side + x] = data[((top + y) * width + left + x) * 3 + c]!
    }
  }
  return out
}

function blended({ data, width, height }: Pixels, background: Rgb): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(3 * width * height)
  for (let i = 0; i < width * height; i++) {
    const alpha = data[4 * i + 3]!
    for (let c = 0; c < 3; c++) {
      rgb[3 * i + c] = Math.round((alpha * data[4 * i + c]! + (255 - alpha) * background[c]!) / 255)
    }
  }
  return rgb
}
