import { softmax } from '@antipode/kernels-wgsl'
import { apply1, constant, type Tensor } from '../graph/index.ts'
import { concat, where } from './shape.ts'

/** What attention is asked for, heads first. */
export interface ComposedAttention {
  readonly mask: Tensor | undefined
  readonly causal: boolean
  readonly scale: number
}

/** Scores that may be in memory at once, in bytes: what any adapter binds as one buffer. */
const scoreBytes = 2 ** 27

/**
 * Attention as products and a softmax, for heads too large for the streamed kernel's registers: SD's autoencoder has one of 512
 * channels. Scores are f32 whatever the inputs are; queries are taken in parts, so that no more than 128 MiB of scores are made at
 * once. q `[B,H,N,D]`, k and v `[B,H,M,D]` -> `[B,H,N,D]`.
 */
export function composedAttention(q: Tensor, k: Tensor, v: Tensor, { mask, causal, scale }: ComposedAttention): Tensor {
  const [batch, heads, queries] = q.shape as [number, number, number, number]
  const keys = k.shape[2]!
  const rows = Math.max(1, Math.floor(scoreBytes / (4 * Math.max(1, batch * heads * keys))))
  const columns = k.to('f32').mul(scale)
  const parts = Array.from({ length: Math.max(1, Math.ceil(queries / rows)) }, (_, part) => {
    const [from, to] = [part * rows, Math.min(queries, (part + 1) * rows)]
    let scores = q.slice(2, from, to).to('f32').matmul(columns, { transposeB: true })
    if (mask) scores = scores.add((mask.shape[2] === 1 ? mask : mask.slice(2, from, to)).to('f32'))
    if (causal) scores = where(seen(q, from, to, keys), scores, -Infinity)
    return apply1(softmax, [scores]).to(v.dtype).matmul(v)
  })
  return concat(parts, 2)
}

/** Whether a key comes no later than its query, `[to − from, keys]`. */
function seen({ device }: Tensor, from: number, to: number, keys: number): Tensor {
  const rows = Float32Array.from({ length: to - from }, (_, i) => from + i)
  const columns = Float32Array.from({ length: keys }, (_, i) => i)
  return constant(device, columns, [1, keys]).le(constant(device, rows, [to - from, 1]))
}
