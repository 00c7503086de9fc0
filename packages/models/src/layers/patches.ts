import { ShapeError, type Tensor } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'

/**
 * Squares of pixels as channels: `[B, C, H·p, W·p] -> [B, C·p·p, H, W]`. @throws {ShapeError} if p divides not both
 * sides
 */
export function pixelsToPatches(x: Tensor, patch: number): Tensor {
  checkArgument('pixelsToPatches', 'patch', patch, whole(1))
  if (patch === 1) return x
  const [b = 1, c = 1, h = 1, w = 1] = x.shape
  if (x.rank !== 4 || h % patch !== 0 || w % patch !== 0) {
    throw new ShapeError(
      `pixelsToPatches: expected images [B,C,H,W] whose sides ${patch} divides, got [${x.shape.join(',')}]`,
    )
  }
  const [rows, columns] = [h / patch, w / patch]
  const cut = x.reshape([b, c, rows, patch, columns, patch])
  return cut.permute([0, 1, 3, 5, 2, 4]).reshape([b, c * patch ** 2, rows, columns])
}

/** The inverse of {@link pixelsToPatches}. @throws {ShapeError} if p·p does not divide the channels */
export function patchesToPixels(x: Tensor, patch: number): Tensor {
  checkArgument('patchesToPixels', 'patch', patch, whole(1))
  if (patch === 1) return x
  const [b = 1, c = 1, h = 1, w = 1] = x.shape
  if (x.rank !== 4 || c % patch ** 2 !== 0) {
    throw new ShapeError(
      `patchesToPixels: expected [B,C,H,W] with channels that ${patch ** 2} divides, got [${x.shape.join(',')}]`,
    )
  }
  const channels = c / patch ** 2
  const cut = x.reshape([b, channels, patch, patch, h, w])
  return cut.permute([0, 1, 4, 2, 5, 3]).reshape([b, channels, h * patch, w * patch])
}
