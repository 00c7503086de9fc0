import { concat, constant, embedding, ShapeError, type Tensor } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'

/**
 * Images, masks or latents `[B, C, H, W]` at another size, each pixel that of the nearest to the left and above.
 * Source: `torch.nn.functional.interpolate` with `mode="nearest"`, whose scale is a float32.
 * @throws {ShapeError} unless x has four axes @throws {ConfigError} unless sides are whole and 1 or more
 */
export function resizeNearest(x: Tensor, height: number, width: number): Tensor {
  if (x.rank !== 4) throw new ShapeError(`resizeNearest: expected [B,C,H,W], got [${x.shape.join()}]`)
  checkArgument('resizeNearest', 'height', height, whole(1))
  checkArgument('resizeNearest', 'width', width, whole(1))
  return along(along(x, 2, height), 3, width)
}

function along(x: Tensor, axis: 2 | 3, to: number): Tensor {
  const from = x.shape[axis] ?? 0
  if (from === to) return x
  const scale = Math.fround(from / to)
  const nearest = Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(Math.fround(i * scale))))
  const order = axis === 2 ? [2, 0, 1, 3] : [3, 0, 1, 2]
  const back = axis === 2 ? [1, 2, 0, 3] : [1, 2, 3, 0]
  return embedding(x.permute(order), indices(x, nearest)).permute(back)
}

/** Numbers that a graph holds by itself, however many. */
function indices({ device }: Tensor, numbers: readonly number[]): Tensor {
  const starts = Array.from({ length: Math.ceil(numbers.length / 1024) }, (_, k) => 1024 * k)
  const pieces = starts.map((start) => numbers.slice(start, start + 1024))
  return concat(pieces.map((piece) => constant(device, piece, [piece.length], { dtype: 'i32' })))
}
