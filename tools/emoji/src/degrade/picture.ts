import type { Raster } from '@antipode/pipelines'

/** A picture with no alpha, `[height, width, 3]` of 0 to 255. */
export interface Picture extends Raster {
  readonly channels: 3
}

/** A picture of the same size whose numbers are `valueOf` each place, rounded and held to 0 to 255. */
export function mapped(picture: Picture, valueOf: (index: number) => number): Picture {
  const data = picture.data.map((_, i) => Math.min(255, Math.max(0, Math.round(valueOf(i)))))
  return { ...picture, data }
}

/** RGBA on white paper: colours by their alpha and white by the rest, of the numbers as they are stored. */
export function onWhite({ data, width, height }: { readonly data: Uint8ClampedArray; readonly width: number; readonly height: number }): Picture {
  const rgb = new Uint8Array(3 * width * height)
  for (let i = 0; i < width * height; i++) {
    const alpha = data[4 * i + 3]! / 255
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round(data[4 * i + c]! * alpha + 255 * (1 - alpha))
  }
  return { data: rgb, width, height, channels: 3 }
}
