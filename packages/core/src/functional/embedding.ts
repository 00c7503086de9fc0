import { bindingAlignment, byteSize, gather, sizeOf } from '@antipode/kernels-wgsl'
import { apply1, type Tensor } from '../graph/index.ts'
import { where } from './shape.ts'

/**
 * Rows of a table by index: table `[V, ...rest]`, indices (i32 or u32) of any shape -> `[...indices, ...rest]`. A table
 * that the device cannot bind whole is read in pieces. An index outside [0, V) yields NaN, or of integers the value
 * furthest from any sensible one.
 */
export function embedding(table: Tensor, indices: Tensor): Tensor {
  const flat = indices.reshape([-1])
  const [count = 0, ...rest] = table.shape
  const rows = rowsAtOnce(table)
  const isAt = [-1, ...rest.map(() => 1)]
  // From the last piece on, which knows what is beyond the table, to the first, which knows what is below.
  let found: Tensor | undefined
  for (let start = Math.floor(Math.max(0, count - 1) / rows) * rows; start >= 0; start -= rows) {
    const end = Math.min(count, start + rows)
    const piece = rows < count ? table.slice(0, start, end) : table
    const own = apply1(gather, [piece, start > 0 ? flat.sub(start) : flat])
    found = found ? where(flat.lt(end).reshape(isAt), own, found) : own
  }
  return (found as Tensor).reshape([...indices.shape, ...rest]) // there is a first piece
}

/** How many rows of a table the device binds at once, so that each piece begins where it can be bound. */
function rowsAtOnce({ device, shape: [count = 0, ...rest], dtype, byteLength }: Tensor): number {
  const { bindingBytes = Infinity } = device.target
  if (byteLength <= bindingBytes) return Math.max(1, count)
  const row = sizeOf(rest) * byteSize(dtype)
  let step = 1
  while ((step * row) % bindingAlignment !== 0) step *= 2
  return Math.max(step, Math.floor(bindingBytes / row / step) * step)
}
