import { checkpoint, concat, ShapeError, type Tensor } from '@antipode/core'
import { type Initialiser, Module } from '@antipode/core/nn'
import {
  AttentionBlock2D, type Compute, Downsample2D, type Pass, ResnetBlock2D, type ResnetSizes, Upsample2D,
} from '../layers/index.ts'
import { type Attention, type AttentionLayer, attentionLayer } from './attention.ts'

/** What every block of a UNet is given beside its image. */
export interface BlockCall {
  /** What each resnet's own layer made of the embedding, by terms: see {@link ResnetBlock2D.shifted}. */
  readonly shifts: ReadonlyMap<ResnetBlock2D, readonly Tensor[]>
  /** By which resnets and attentions are run. */
  readonly pass: Pass
  /** Whether a layer is computed again in the backward pass, instead of keeping what it computed in between. */
  readonly checkpoint?: boolean | undefined
}

/** What blocks have in common. */
export interface BlockSizes {
  readonly outChannels: number
  /** What each of its resnets is made with. */
  readonly resnet: Omit<ResnetSizes, 'inChannels' | 'outChannels' | 'resample'>
  readonly attention: Attention
  /** Whether its resnets take the embedding of time before its activation. */
  readonly bareTime: boolean
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
    return attention ? pass.run(attention, [h], (x) => attend(attention, x as Tensor, pass)) : h
  }
  return again ? checkpoint(compute, ...inputs) : compute(...inputs)
}

function attend(attention: AttentionLayer, x: Tensor, pass: Pass): Tensor {
  return attention instanceof AttentionBlock2D ? attention.forward(x) : attention.forward(x, pass.context, pass)
}

/** Resnets of a block, each followed by its attention. */
abstract class Block extends Module {
  readonly resnets: readonly ResnetBlock2D[]
  readonly attentions: readonly AttentionLayer[]
  readonly bareTime: boolean

  constructor(init: Initialiser, inputs: readonly number[], { outChannels, resnet, attention, bareTime }: BlockSizes) {
    super()
    this.bareTime = bareTime
    const sizes = { channels: outChannels, groups: resnet.groups, eps: resnet.eps }
    const resnets: ResnetBlock2D[] = []
    const attentions: AttentionLayer[] = []
    for (const [i, inChannels] of inputs.entries()) {
      resnets.push(new ResnetBlock2D(init, { ...resnet, inChannels, outChannels }))
      const behind = attentionLayer(init, attention, sizes, i)
      if (behind) attentions.push(behind)
    }
    this.resnets = resnets
    this.attentions = attentions
  }

  protected layer(i: number, inputs: readonly Tensor[], call: BlockCall): Tensor {
    return layer(inputs, this.resnets[i], this.attentions[i], call)
  }
}

/** A resnet that changes the resolution itself. */
function resampler(init: Initialiser, { outChannels, resnet }: BlockSizes, resample: 'down' | 'up'): ResnetBlock2D {
  return new ResnetBlock2D(init, { ...resnet, inChannels: outChannels, outChannels, resample })
}

/** A block of the way down, of any type, by its attention and what halves the resolution. */
export class DownBlock extends Block {
  readonly downsamplers: readonly (Downsample2D | ResnetBlock2D)[]

  /** `downsample` is the padding of a convolution, `resnet` for a resnet, or undefined for none. */
  constructor(
    init: Initialiser,
    { inChannels, layers, downsample, ...sizes }: BlockSizes & {
      readonly inChannels: number
      readonly layers: number
      readonly downsample: { readonly padding: number } | 'resnet' | undefined
    },
  ) {
    super(init, Array.from({ length: layers }, (_, i) => (i === 0 ? inChannels : sizes.outChannels)), sizes)
    this.downsamplers = downsample ? [
      downsample === 'resnet' ? resampler(init, sizes, 'down') : new Downsample2D(init, sizes.outChannels, downsample),
    ] : []
  }

  /** Its resnets, those that change the resolution among them. */
  timed(): ResnetBlock2D[] {
    return [...this.resnets, ...this.downsamplers.filter((d) => d instanceof ResnetBlock2D)]
  }

  /** x `[B,C,H,W]` -> the output of every layer, in order; the last one goes on, all go across. */
  forward(x: Tensor, call: BlockCall): Tensor[] {
    const outputs: Tensor[] = []
    let h = x
    for (const i of this.resnets.keys()) outputs.push(h = this.layer(i, [h], call))
    for (const d of this.downsamplers) {
      outputs.push(h = d instanceof ResnetBlock2D ? layer([h], d, undefined, call) : d.forward(h))
    }
    return outputs
  }
}

/** The block in the middle: a resnet, and if there is attention, that and a second resnet. */
export class MidBlock extends Module {
  readonly attentions: readonly AttentionLayer[]
  readonly resnets: readonly ResnetBlock2D[]
  readonly bareTime: boolean

  constructor(init: Initialiser, { outChannels, resnet, attention, bareTime }: BlockSizes) {
    super()
    this.bareTime = bareTime
    const { groups, eps } = resnet
    const between = attentionLayer(init, attention, { channels: outChannels, groups, eps }, 0)
    this.attentions = between ? [between] : []
    const sizes = { ...resnet, inChannels: outChannels, outChannels }
    this.resnets = Array.from({ length: between ? 2 : 1 }, () => new ResnetBlock2D(init, sizes))
  }

  timed(): readonly ResnetBlock2D[] {
    return this.resnets
  }

  /** x `[B,C,H,W]` -> `[B,C,H,W]` */
  forward(x: Tensor, call: BlockCall): Tensor {
    return this.resnets.reduce((h, resnet, i) => layer([h], resnet, this.attentions[i], call), x)
  }
}

/** A block of the way up, of any type, by its attention and what doubles the resolution. */
export class UpBlock extends Block {
  readonly upsamplers: readonly (Upsample2D | ResnetBlock2D)[]

  /** `skipChannels[i]` is what comes across to layer i. */
  constructor(
    init: Initialiser,
    { inChannels, skipChannels, upsample, ...sizes }: BlockSizes & {
      readonly inChannels: number
      readonly skipChannels: readonly number[]
      readonly upsample: 'conv' | 'resnet' | undefined
    },
  ) {
    super(init, skipChannels.map((skip, i) => (i === 0 ? inChannels : sizes.outChannels) + skip), sizes)
    this.upsamplers = upsample ? [
      upsample === 'resnet' ? resampler(init, sizes, 'up') : new Upsample2D(init, sizes.outChannels),
    ] : []
  }

  /** Its resnets, those that change the resolution among them. */
  timed(): ResnetBlock2D[] {
    return [...this.resnets, ...this.upsamplers.filter((u) => u instanceof ResnetBlock2D)]
  }

  /**
   * x `[B,C,H,W]` and the outputs of the way down, of which each layer takes the last one that is left. Where the next
   * of those is smaller than twice the image, as odd sides were halved upwards, what is doubled is cut to it.
   */
  forward(x: Tensor, skips: Tensor[], call: BlockCall): Tensor {
    let h = x
    for (const i of this.resnets.keys()) {
      const skip = skips.pop()
      if (!skip) throw new ShapeError('UpBlock: expected an output of the way down for each layer, got too few')
      h = this.layer(i, [h, skip], call)
    }
    for (const u of this.upsamplers) {
      h = u instanceof ResnetBlock2D ? layer([h], u, undefined, call) : u.forward(h, skips.at(-1)?.shape.slice(2))
    }
    return h
  }
}
