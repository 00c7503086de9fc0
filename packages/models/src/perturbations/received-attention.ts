import { ConfigError, scaledDotProductAttention, softmax, type Tensor } from '@antipode/core'
import { checkOptions } from '@antipode/core/options'
import { attending } from '../layers/index.ts'
import type { UNet2DCondition, UNet2DConditionModel } from '../unet/index.ts'
import { layersRange, type PerturbationOptions, selfAttentions } from './layer-choice.ts'

/**
 * How much attention each pixel receives from all together, the mean over the heads of one self-attention, as an image
 * `[B,1,h,w]` f32 whose mean is 1: what self-attention guidance (SAG) chooses the pixels by that it blurs. Of a pass
 * only what leads to that layer is computed.
 * @throws {ConfigError} if an option is unknown, or the choice finds no self-attention or several
 * Source: Hong et al. 2022, arXiv 2210.00939, eq. 14.
 */
export function receivedAttention(
  model: UNet2DConditionModel, options: PerturbationOptions = {},
): (x: Tensor, timesteps: Tensor, condition: UNet2DCondition) => Tensor {
  checkOptions('receivedAttention', options, { layers: layersRange })
  const [first, ...others] = selfAttentions('receivedAttention', model, options.layers)
  if (!first || others.length > 0) {
    const got = [first, ...others].map((layer) => layer?.[0]).join(', ')
    throw new ConfigError(`receivedAttention: expected one self-attention, got ${got}; choose one of them`)
  }
  const [name, layer] = first
  return (x, timesteps, condition) => {
    let map: Tensor | undefined
    const watched = attending(layer, ({ grid }) => (queries, keys, values, given) => {
      map = received(queries, keys).reshape([x.shape[0] ?? 1, 1, ...(grid ?? [keys.shape[1] ?? 1, 1])])
      return scaledDotProductAttention(queries, keys, values, given)
    })
    model.forward(x, timesteps, condition, { wrappers: new Map([[layer, watched]]) })
    if (map) return map
    throw new ConfigError(`receivedAttention: expected the model to run ${name}, which it did not; choose another layer`)
  }
}

/** Probabilities of queries and keys `[B,N,H,D]`, added up over the queries: the mean over heads, `[B,N]`. */
export function received(queries: Tensor, keys: Tensor): Tensor {
  const heads = (t: Tensor): Tensor => t.to('f32').permute([0, 2, 1, 3]) // b n h d -> b h n d
  const scores = heads(queries).matmul(heads(keys), { transposeB: true }).mul(1 / Math.sqrt(queries.shape.at(-1) ?? 1))
  return softmax(scores).sum({ axes: 2 }).mean({ axes: 1 })
}
