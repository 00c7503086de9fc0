import { checkpoint, concat, ShapeError, type Tensor } from '@antipode/core'
import { type Initialiser, Module } from '@antipode/core/nn'
import {
  AttentionBlock2D, type Compute, Downsample2D, type Pass, ResnetBlock2D, Transformer2DModel, Upsample2D,
} from '../layers/index.ts'

/** What every block of a UNet is given beside its image. */
export interface BlockCall {
  /** What each resnet adds between its convolutions, by terms: see {@link ResnetBlock2D.shifted}. */
  readonly shifts: ReadonlyMap<ResnetBlock2D, readonly Tensor[]>
  /** By which resnets and attentions are run. */
  readonly pass: Pass
  /** Whether a layer is computed again in the backward pass, instead of keeping what it computed in between. */
  readonly checkpoint?: boolean | undefined
}

/**
 * A resnet of its inputs side by side, and the attention behind it: the part of a block that is checkpointed as one.
 */
function layer(
  inputs: readonly Tensor[],
  resnet: ResnetBlock2D | undefined,
  attention: AttentionLayer | undefined,
  { shifts, pass, checkpoint: again }: BlockCall,
): Tensor {
  const shifted = (block: ResnetBlock2D): Compute => (...parts) =>
    block.shifted(concat(parts, 1), shifts.get(block) ?? [])
  const compute = (...parts: readonly Tensor[]): Tensor => {
    const h = resnet ? pass.run(resnet, parts, shifted(resnet)) : concat(parts, 1)
    return attention ? pass.run(attention, [h], (x) => attention.forward(x as Tensor, pass.context, pass)) : h
  }
  return again ? checkpoint(compute, ...inputs) : compute(...inputs)
}

/** Which attention a block has behind each of its resnets. */
export type Attention =
  | { readonly kind: 'none' }
  | { readonly kind: 'self'; readonly headWidth: number }
  | {
    readonly kind: 'cross'
    readonly heads: number
    readonly layers: number
    readonly contextWidth: number
    readonly linearProjection: boolean
  }

/** What blocks have in common. */
export interface BlockSizes {
  readonly outChannels: number
  readonly timeWidth: number
  readonly groups: number
  readonly eps: number
  readonly attention: Attention
}

type AttentionLayer = AttentionBlock2D | Transformer2DModel

function attentionLayer(
  init: Initialiser,
  { outChannels: channels, groups, eps, attention }: BlockSizes,
): AttentionLayer | undefined {
  if (attention.kind === 'none') return undefined
  if (attention.kind === 'self') {
    return new AttentionBlock2D(init, { channels, headWidth: attention.headWidth, groups, eps })
  }
  const { kind: _, heads, ...rest } = attention
  return new Transformer2DModel(init, { channels, groups, heads, headWidth: channels / heads, ...rest })
}

/** Resnets of a block, each followed by its attention. */
abstract class Block extends Module {
  readonly resnets: readonly ResnetBlock2D[]
  readonly attentions: readonly AttentionLayer[]

  constructor(init: Initialiser, inputs: readonly number[], sizes: BlockSizes) {
    super()
    const { outChannels, timeWidth, groups, eps } = sizes
    const resnets: ResnetBlock2D[] = []
    const attentions: AttentionLayer[] = []
    for (const inChannels of inputs) {
      resnets.push(new ResnetBlock2D(init, { inChannels, outChannels, timeWidth, groups, eps }))
      const attention = attentionLayer(init, sizes)
      if (attention) attentions.push(attention)
    }
    this.resnets = resnets
    this.attentions = attentions
  }

  protected layer(i: number, inputs: readonly Tensor[], call: BlockCall): Tensor {
    return layer(inputs, this.resnets[i], this.attentions[i], call)
  }
}

/** `DownBlock2D`, `AttnDownBlock2D` or `CrossAttnDownBlock2D`, by its attention. */
export class DownBlock extends Block {
  readonly downsamplers: readonly Downsample2D[]

  constructor(
    init: Initialiser,
    { inChannels, layers, downsample, ...sizes }: BlockSizes & {
      readonly inChannels: number
      readonly layers: number
      readonly downsample: { readonly padding: number } | undefined
    },
  ) {
    super(init, Array.from({ length: layers }, (_, i) => (i === 0 ? inChannels : sizes.outChannels)), sizes)
    this.downsamplers = downsample ? [new Downsample2D(init, sizes.outChannels, downsample)] : []
  }

  /** x `[B,C,H,W]` -> the output of every layer, in order; the last one goes on, all go across. */
  forward(x: Tensor, call: BlockCall): Tensor[] {
    const outputs: Tensor[] = []
    let h = x
    for (const i of this.resnets.keys()) outputs.push(h = this.layer(i, [h], call))
    for (const d of this.downsamplers) outputs.push(h = d.forward(h))
    return outputs
  }
}

/** `UNetMidBlock2D` or `UNetMidBlock2DCrossAttn`: a resnet, and if there is attention, that and a second resnet. */
export class MidBlock extends Module {
  readonly attentions: readonly AttentionLayer[]
  readonly resnets: readonly ResnetBlock2D[]

  constructor(init: Initialiser, sizes: BlockSizes) {
    super()
    const { outChannels, timeWidth, groups, eps } = sizes
    const attention = attentionLayer(init, sizes)
    this.attentions = attention ? [attention] : []
    const resnet = { inChannels: outChannels, outChannels, timeWidth, groups, eps }
    this.resnets = Array.from({ length: attention ? 2 : 1 }, () => new ResnetBlock2D(init, resnet))
  }

  /** x `[B,C,H,W]` -> `[B,C,H,W]` */
  forward(x: Tensor, call: BlockCall): Tensor {
    return this.resnets.reduce((h, resnet, i) => layer([h], resnet, this.attentions[i], call), x)
  }
}

/** `UpBlock2D`, `AttnUpBlock2D` or `CrossAttnUpBlock2D`, by its attention. */
export class UpBlock extends Block {
  readonly upsamplers: readonly Upsample2D[]

  /** `skipChannels[i]` is what comes across to layer i. */
  constructor(
    init: Initialiser,
    { inChannels, skipChannels, upsample, ...sizes }: BlockSizes & {
      readonly inChannels: number
      readonly skipChannels: readonly number[]
      readonly upsample: boolean
    },
  ) {
    super(init, skipChannels.map((skip, i) => (i === 0 ? inChannels : sizes.outChannels) + skip), sizes)
    this.upsamplers = upsample ? [new Upsample2D(init, sizes.outChannels)] : []
  }

  /** x `[B,C,H,W]` and the outputs of the way down, of which each layer takes the last one that is left. */
  forward(x: Tensor, skips: Tensor[], call: BlockCall): Tensor {
    let h = x
    for (const i of this.resnets.keys()) {
      const skip = skips.pop()
      if (!skip) throw new ShapeError('UpBlock: expected an output of the way down for each layer, got too few')
      h = this.layer(i, [h, skip], call)
    }
    return this.upsamplers.reduce((y, u) => u.forward(y), h)
  }
}
