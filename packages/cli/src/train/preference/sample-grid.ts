import type { Tensor } from '@antipode/core'
import { encode } from 'fast-png'
import type { EventPicture } from '../events/index.ts'

/** Pixels between two pictures. */
const gap = 4

/** Pictures `[1, 3, H, W]` in [0, 1], row by row, as one PNG on white. */
export async function sampleGrid(rows: readonly (readonly Tensor[])[]): Promise<EventPicture> {
  const [, , height = 1, width = 1] = rows[0]?.[0]?.shape ?? []
  const whole = { height: rows.length * (height + gap) - gap, width: (rows[0]?.length ?? 1) * (width + gap) - gap }
  const data = new Uint8Array(3 * whole.height * whole.width).fill(255)
  for (const [row, pictures] of rows.entries()) {
    for (const [column, picture] of pictures.entries()) {
      const pixels = await picture.data()
      for (let i = 0; i < height * width; i++) {
        const at = (row * (height + gap) + Math.floor(i / width)) * whole.width + column * (width + gap) + i % width
        for (let c = 0; c < 3; c++) data[3 * at + c] = Math.round(255 * pixels[c * height * width + i]!)
      }
    }
  }
  return { ...whole, png: encode({ ...whole, data, channels: 3, depth: 8 }) }
}
