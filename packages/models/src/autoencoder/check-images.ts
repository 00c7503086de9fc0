import { ShapeError, type Tensor } from '@antipode/core'

/** @throws {ShapeError} unless x is images, or latents, of so many channels */
export function checkImages(where: string, what: string, x: Tensor, channels: number): void {
  if (x.rank === 4 && x.shape[1] === channels) return
  throw new ShapeError(`${where}: expected ${what} [B,${channels},H,W], got [${x.shape.join()}]`)
}
