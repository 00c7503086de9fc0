import { type Range, checkOptions, either, finite, listOf } from '@antipode/core/options'

/**
 * Weights of an adapter on the blocks of one way through a UNet: one for all, or a list with one for each block from
 * its start, each a number or a list with one for each of its resnets and the attention behind it.
 */
export type WayWeights = number | readonly (number | readonly number[])[]

/** Weights of an adapter by the blocks of a UNet: 1 where none is given. */
export interface BlockWeights {
  readonly down?: WayWeights
  readonly mid?: number
  readonly up?: WayWeights
  /** Of layers outside the blocks: first and last convolution, embeddings of time and class. */
  readonly rest?: number
}

const way: Range = either(finite, listOf(either(finite, listOf(finite))))

/**
 * The weight of an adapter on each layer of a UNet, by the block that it is in: what `with` and `mergedState` take for a
 * number. A block, or a layer of one, beyond a list has the weight 1, and so have samplers where a block has a list.
 * @throws {ConfigError} if a weight is not finite, or a field is unknown
 * @example
 * unet.with({ style: blockWeights({ down: 0, mid: 0, up: [0.4, 0.8] }) })
 */
export function blockWeights(weights: BlockWeights): (layer: string) => number {
  checkOptions('blockWeights', weights, { down: way, mid: finite, up: way, rest: finite })
  return (layer) => {
    const [, side, block, part] = /^(down|up)_blocks\.(\d+)\.(?:(?:resnets|attentions)\.(\d+))?/.exec(layer) ?? []
    if (side === undefined) return (layer.startsWith('mid_block.') ? weights.mid : weights.rest) ?? 1
    const own = weights[side as 'down' | 'up'] ?? 1
    const here = typeof own === 'number' ? own : own[Number(block)] ?? 1
    return typeof here === 'number' ? here : here[Number(part)] ?? 1
  }
}
