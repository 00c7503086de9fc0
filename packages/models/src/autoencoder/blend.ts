import { concat, constant, type Tensor } from '@antipode/core'

/**
 * b, into which a goes over along an axis: a's last elements fade out over b's first ones, the first of which is a's
 * alone. @param extent how many, or as many as the shorter of the two has
 */
export function blended(a: Tensor, b: Tensor, axis: number, extent: number): Tensor {
  const [before = 0, length = 0] = [a.shape[axis], b.shape[axis]]
  const n = Math.min(before, length, extent)
  if (n === 0) return b
  const share = Float32Array.from({ length: n }, (_, k) => k / n)
  const rising = constant(b.device, share, b.shape.map((_, k) => (k === axis ? n : 1)), { dtype: b.dtype })
  const seam = a.slice(axis, before - n).mul(rising.neg().add(1)).add(b.slice(axis, 0, n).mul(rising))
  return n < length ? concat([seam, b.slice(axis, n)], axis) : seam
}
