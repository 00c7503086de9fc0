import type { Tensor } from '@antipode/core'
import type { AttentionCall, MultiHeadAttention } from '@antipode/core/nn'
import type { PassInput, Wrapper } from './pass.ts'

/** What becomes of queries `[B,N,H,D]`, keys and values `[B,M,H,D]`: `[B,N,H,D]`. */
export type Attend = NonNullable<AttentionCall['attend']>

/**
 * Around an attention, of tokens or of an image's pixels: another function of its queries, keys and values than the
 * softmax of their products. The layer's projections, norm and shortcut stay.
 * @param of gives that function for a pass, whose `grid` is known inside images
 * @example
 * // Every query looks at other keys and values too, as in models that are prompted by images.
 * attending(attn2, () => (q, k, v, options) =>
 *   scaledDotProductAttention(q, k, v, options).add(scaledDotProductAttention(q, otherKeys, otherValues, options)))
 */
export function attending(attention: MultiHeadAttention, of: (pass: PassInput) => Attend): Wrapper {
  return (_run, [x, context], pass) => {
    const image = x as Tensor
    const [height, width] = image.shape.slice(2)
    const grid = height && width ? [height, width] as const : pass.grid
    return attention.forward(image, context, { attend: of({ ...pass, grid }) })
  }
}
