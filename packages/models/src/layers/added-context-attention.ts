import { concat, scaledDotProductAttention, type Tensor } from '@antipode/core'
import { GroupNorm, type Initialiser, type Layer, LayerNorm, Linear, Module } from '@antipode/core/nn'
import { checkOptions, flag, oneOf, required, whole } from '@antipode/core/options'

/** Sizes of an {@link AddedContextAttention2D}: whole, 1 or more. */
export interface AddedContextAttentionSizes {
  /** `headWidth` must divide them. */
  readonly channels: number
  readonly headWidth: number
  readonly contextWidth: number
  readonly groups: number
  /** How the context is normed first; not at all by default. `group_norm` is of 32 groups. */
  readonly contextNorm?: 'layer_norm' | 'group_norm' | undefined
  /** Whether pixels look at the context alone; default false. */
  readonly onlyCross?: boolean
}

/**
 * Attention of the pixels of an image to themselves and to the tokens of a context at once, after a group norm and
 * beside a shortcut. Source: DeepFloyd IF, https://github.com/deep-floyd/IF; `AttnAddedKVProcessor` of diffusers.
 */
export class AddedContextAttention2D extends Module {
  readonly groupNorm: GroupNorm
  readonly normCross: GroupNorm | LayerNorm | undefined
  readonly toQ: Layer
  readonly toK: Layer | undefined
  readonly toV: Layer | undefined
  readonly addKProj: Layer
  readonly addVProj: Layer
  readonly toOut: readonly [Layer]
  readonly heads: number

  /** @throws {ConfigError} if a size is not whole and 1 or more or unknown, or groups do not divide their channels */
  constructor(init: Initialiser, sizes: AddedContextAttentionSizes) {
    super()
    const size = required(whole(1))
    checkOptions('AddedContextAttention2D', sizes, {
      channels: size, headWidth: size, contextWidth: size, groups: size, onlyCross: flag,
      contextNorm: oneOf('layer_norm', 'group_norm'),
    })
    const { channels, headWidth, contextWidth, groups, contextNorm, onlyCross = false } = sizes
    const own = (): Layer | undefined => (onlyCross ? undefined : Linear.of(init, channels, channels))
    this.heads = channels / headWidth
    this.groupNorm = GroupNorm.of(init, groups, channels)
    this.normCross = contextNorm && (
      contextNorm === 'layer_norm' ? LayerNorm.of(init, channels) : GroupNorm.of(init, 32, contextWidth)
    )
    this.toQ = Linear.of(init, channels, channels)
    this.toK = own()
    this.toV = own()
    this.addKProj = Linear.of(init, contextWidth, channels)
    this.addVProj = Linear.of(init, contextWidth, channels)
    this.toOut = [Linear.of(init, channels, channels)]
  }

  /** x `[B,C,H,W]`, context `[B,M,contextWidth]`; without one, the pixels as they come stand for it. */
  forward(x: Tensor, context?: Tensor): Tensor {
    const [batch = 1, channels = 1] = x.shape
    const flat = (t: Tensor): Tensor => t.reshape([batch, channels, -1]).transpose() // b c h w -> b (h w) c
    const tokens = flat(this.groupNorm.forward(x))
    const seen = context ? this.normed(context) : flat(x)
    const split = (t: Tensor): Tensor => t.reshape([...t.shape.slice(0, -1), this.heads, -1]) // b n (h d) -> b n h d
    const both = (added: Layer, own: Layer | undefined): Tensor =>
      split(concat([added.forward(seen), ...(own ? [own.forward(tokens)] : [])], 1))
    const [keys, values] = [both(this.addKProj, this.toK), both(this.addVProj, this.toV)]
    const y = scaledDotProductAttention(split(this.toQ.forward(tokens)), keys, values, { layout: 'BNHD' })
    return this.toOut[0].forward(y.reshape(tokens.shape)).transpose().reshape(x.shape).add(x)
  }

  private normed(context: Tensor): Tensor {
    if (!(this.normCross instanceof GroupNorm)) return this.normCross?.forward(context) ?? context
    return this.normCross.forward(context.transpose()).transpose() // b n c -> b c n, and back
  }
}
