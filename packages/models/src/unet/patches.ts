import type { Tensor } from '@antipode/core'

/** Squares of pixels as channels: `[B, C, H·p, W·p] -> [B, C·p·p, H, W]`. */
export function pixelsToPatches(x: Tensor, patch: number): Tensor {
  if (patch === 1) return x
  const [b = 1, c = 1, h = 1, w = 1] = x.shape
  const [rows, columns] = [h / patch, w / patch]
  return x.reshape([b, c, rows, patch, columns, patch]).permute([0, 1, 3, 5, 2, 4]).reshape([b, c * patch ** 2, rows, columns])
}

/** The inverse of {@link pixelsToPatches}. */
export function patchesToPixels(x: Tensor, patch: number): Tensor {
  if (patch === 1) return x
  const [b = 1, c = 1, h = 1, w = 1] = x.shape
  const channels = c / patch ** 2
  return x.reshape([b, channels, patch, patch, h, w]).permute([0, 1, 4, 2, 5, 3]).reshape([b, channels, h * patch, w * patch])
}
