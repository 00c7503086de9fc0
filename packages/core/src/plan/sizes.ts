import { bindingAlignment, byteSize, sizeOf, type Spec, textureWidth } from '@antipode/kernels-wgsl'

/** Bytes of a value. */
export function bytesOf(spec: Spec): number {
  return sizeOf(spec.shape) * byteSize(spec.dtype)
}

/**
 * Sizes in which the pool hands out memory: quarter steps between powers of two from 256 bytes up, so that at most a
 * fifth is wasted and buffers of nearly equal size can replace each other.
 */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256
  const step = 2 ** Math.max(6, Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}

/** From how many bytes on a buffer that stays has its own size: below, those that come and go replace each other. */
const large = 2 ** 16

/** Sizes of buffers for what stays, as weights do: {@link sizeClass} of what is small, and all else as it is. */
export function lastingClass(bytes: number): number {
  return bytes < large ? sizeClass(bytes) : Math.ceil(bytes / bindingAlignment) * bindingAlignment
}

/** Bytes of the GPU that a tensor of a shape and an element type takes, once it is uploaded. */
export function storedBytes(spec: Spec): number {
  return lastingClass(bytesOf(spec))
}

const rowBytes = 16 * textureWidth

/** Bytes of a texture of so many rows. */
export function textureBytes(rows: number): number {
  return rows * rowBytes
}

/** Rows of a texture of the pool with these bytes. */
export function textureRows(bytes: number): number {
  return bytes / rowBytes
}

/** Bytes of the pool's texture that holds so many: {@link sizeClass} in whole rows. */
export function textureClass(bytes: number): number {
  const rows = textureRows(bytes)
  const step = Math.max(1, 2 ** (Math.floor(Math.log2(Math.max(1, rows - 1))) - 2))
  return Math.ceil(rows / step) * step * rowBytes
}
